use super::TokenCopy;

pub fn real() -> Box<dyn TokenCopy> {
    unimplemented!()
}
