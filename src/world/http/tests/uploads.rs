//! Bodies that are read while they are sent.

use super::*;

#[test]
fn an_upload_of_any_size_arrives_whole() {
    let server = Server::start(|stream, head| {
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let length =
            head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
        let mut got = 0_u64;
        if let Some(length) = length {
            got = io::copy(&mut reader.take(length.parse().expect("a number")), &mut io::sink()).expect("the body");
        } else {
            loop {
                let mut size = String::new();
                reader.read_line(&mut size).expect("a chunk's size");
                let size = u64::from_str_radix(size.trim(), 16).expect("a number");
                io::copy(&mut reader.by_ref().take(size + 2), &mut io::sink()).expect("a chunk");
                if size == 0 {
                    break;
                }
                got += size;
            }
        }
        let body = got.to_string();
        let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    });
    for (size, length, chunked) in [
        (0, None, false),
        (10, None, false),
        (10, Some(10), false),
        (3 << 20, Some(3 << 20), false),
        (3 << 20, None, true),
    ] {
        let upload = Upload { reader: Box::new(io::repeat(b'a').take(size)), length };
        let mut answer = Real::default()
            .stream(&Request::new("PUT", server.url()), Some(upload))
            .unwrap_or_else(|error| panic!("{size}: {error}"));
        let mut body = String::new();
        answer.body.read_to_string(&mut body).expect("the body");
        assert_eq!(body, size.to_string());
        let head = server.heads.recv().expect("a request").to_ascii_lowercase();
        assert_eq!(head.contains("transfer-encoding: chunked"), chunked, "{head}");
    }
    let closed = format!("http://{NOBODY}/");
    let upload = || Some(Upload { reader: Box::new(io::repeat(b'a').take(10)), length: None });
    assert!(matches!(Real::default().stream(&Request::new("PUT", closed), upload()), Err(HttpError::Unsent { .. })));
    let short = Some(Upload { reader: Box::new(io::empty()), length: Some(3) });
    assert!(matches!(Real::default().stream(&Request::new("PUT", server.url()), short), Err(HttpError::Unsent { .. })));
}

/// Reads on after the head and reports the bytes; sends no response.
fn listening() -> (Server, mpsc::Receiver<Vec<u8>>) {
    let (to, from) = mpsc::channel();
    let server = Server::start(move |stream, _| {
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got);
        let _ = to.send(got);
    });
    (server, from)
}

#[test]
fn a_body_that_can_not_be_read_to_its_end_is_never_taken_for_the_whole() {
    struct Broken(fn() -> io::Result<usize>);
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0()
        }
    }
    const SIZE: u64 = 3 << 20;
    let fails: fn() -> io::Result<usize> = || Err(io::Error::other("the disk is gone"));
    // as a panic, without its noise
    let dies: fn() -> io::Result<usize> = || std::panic::resume_unwind(Box::new(()));
    for (end, length, words) in [
        (fails, None, "the disk is gone"),
        (fails, Some(SIZE + 1), "the disk is gone"),
        (dies, None, "its reader ended unexpectedly"),
        (dies, Some(SIZE + 1), ""),
        (|| Ok(0), Some(SIZE + 1), ""),
    ] {
        let (server, got) = listening();
        let upload = Upload { reader: Box::new(io::repeat(b'a').take(SIZE).chain(Broken(end))), length };
        let answer = Real::default().stream(&Request::new("PUT", server.url()), Some(upload));
        let Err(HttpError::Ambiguous { why, .. }) = answer else { panic!("{words}: it was answered") };
        assert!(why.contains(words) && !why.contains(CANARY), "{words}: {why}");
        let got = got.recv_timeout(Duration::from_secs(60)).expect("the connection's end");
        assert!(!got.ends_with(b"0\r\n\r\n") && got.len() as u64 != SIZE + 1, "{words}: {}", got.len());
    }
}

#[test]
fn an_answer_that_comes_before_the_whole_body_is_taken() {
    struct Silent(mpsc::Receiver<()>);
    impl Read for Silent {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(0)
        }
    }
    let (_held, never) = mpsc::channel();
    let endless: Box<dyn Read + Send> = Box::new(io::repeat(b'a'));
    let silent: Box<dyn Read + Send> = Box::new(io::repeat(b'a').take(2 << 20).chain(Silent(never)));
    for (reader, length) in [(endless, Some(1 << 40)), (silent, None)] {
        let server = Server::start(|stream, _| {
            let answer = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large";
            let _ = stream.write_all(answer.as_bytes());
            thread::sleep(Duration::from_secs(20));
        });
        let mut request = Request::new("PUT", server.url());
        request.timeout = Duration::from_secs(5);
        let answer = Real::default().stream(&request, Some(Upload { reader, length }));
        let mut answer = answer.unwrap_or_else(|error| panic!("{error}"));
        let mut body = String::new();
        answer.body.read_to_string(&mut body).expect("the body");
        assert_eq!((answer.status, body.as_str()), (413, "too large"));
    }
}

// the next write would fail
#[test]
fn an_answer_that_is_followed_by_a_reset_is_read_before_more_is_sent() {
    /// Is read while the server answers, and goes on.
    struct Meanwhile(mpsc::Sender<()>, mpsc::Receiver<()>);
    impl Read for Meanwhile {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let _ = self.0.send(());
            let _ = self.1.recv_timeout(Duration::from_secs(10));
            thread::sleep(Duration::from_millis(100));
            Ok(buffer.len())
        }
    }
    const SIZE: usize = 2 << 20;
    for length in [Some(1 << 40), None] {
        let ((asks, asked), (answers, answered)) = (mpsc::channel(), mpsc::channel());
        let asked = Mutex::new(asked);
        let server = Server::start(move |stream, _| {
            // closed with the rest unread, which resets the connection
            let _ = stream.read_exact(&mut vec![0; SIZE - (64 << 10)]);
            let _ = asked.lock().expect("no panic").recv();
            let _ = stream.write_all(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large");
            let _ = answers.send(());
        });
        let reader = Box::new(io::repeat(b'a').take(SIZE as u64).chain(Meanwhile(asks, answered)));
        let answer = Real::default().stream(&Request::new("PUT", server.url()), Some(Upload { reader, length }));
        assert_eq!(answer.unwrap_or_else(|error| panic!("{length:?}: {error}")).status, 413);
    }
}

#[test]
fn while_an_upload_is_slow_nobody_loses_patience_and_then_the_server_has_its_time() {
    struct Slow(u32);
    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 > 4 {
                return Ok(0);
            }
            thread::sleep(Duration::from_millis(400));
            buffer[0] = b'b';
            Ok(1)
        }
    }
    let (server, _got) = listening();
    let mut request = Request::new("PUT", server.url());
    request.timeout = Duration::from_secs(1);
    let upload = Upload { reader: Box::new(io::repeat(b'a').take(1 << 21).chain(Slow(0))), length: None };
    let start = Instant::now();
    let answer = Real::default().stream(&request, Some(upload));
    let took = start.elapsed();
    assert!(matches!(answer, Err(HttpError::TimedOut { seconds: 1, .. })), "{:?}", answer.err());
    // the server's second begins after the last byte, and the wait ends
    assert!(took > Duration::from_millis(2500) && took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn an_upload_is_read_in_large_blocks() {
    struct Counted(u64, Arc<AtomicUsize>);
    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1.fetch_add(1, Ordering::SeqCst);
            let n = self.0.min(buffer.len() as u64);
            self.0 -= n;
            Ok(n as usize)
        }
    }
    let server = Server::start(|stream, _| {
        let _ = io::copy(&mut stream.take(64 << 20), &mut io::sink());
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let reads = Arc::new(AtomicUsize::new(0));
    let reader = Box::new(Counted(64 << 20, Arc::clone(&reads)));
    let upload = Upload { reader, length: Some(64 << 20) };
    let answer = Real::default().stream(&Request::new("PUT", server.url()), Some(upload));
    assert_eq!(answer.unwrap_or_else(|error| panic!("{error}")).status, 200);
    let reads = reads.load(Ordering::SeqCst);
    assert!(reads < 1100, "{reads} reads for 64 MiB");
}
