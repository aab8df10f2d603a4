//! The whole program and its doors, as seen from outside. One binary; a file per subject.

mod loopback;
