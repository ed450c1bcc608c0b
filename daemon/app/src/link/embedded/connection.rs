//! One connection: what it speaks, http or TLS, and then its requests. Must not know what is asked for.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use log::debug;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tower::Service;

use super::door::{Place, Seat};
use super::entrance::{Knocks, RemoteAddress};
use super::tls::{FIRST_BYTE, Secure, Speaker};

/// How long a connection may take to say its first byte, and over TLS to shake hands as well.
const HELLO_DEADLINE: Duration = Duration::from_secs(10);
/// How long a request's head may take, and how long a connection may idle between requests.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// Most bytes of a request's head.
const HEAD_BYTES: usize = 32 * 1024;
/// How long the other end may leave lie what it was sent, whether it is gone or reads nothing (TCP_USER_TIMEOUT,
/// tcp(7)). Its own queue is bounded in bytes, the time is not.
const UNREAD_DEADLINE: Duration = Duration::from_secs(30);
/// What the kernel may keep of what is sent to one end, in bytes; it takes as much again for itself.
const SEND_BUFFER: usize = 64 * 1024;

/// What every connection has.
#[derive(Clone)]
pub struct Reception {
    /// What answers.
    pub router: Router,
    /// What speaks TLS, where anything does.
    pub speaker: Option<Speaker>,
    /// Changes when the server ends.
    pub stopped: watch::Receiver<()>,
}

/// A connection that gives its seat back when it ends, also after it has become a websocket, and ends when its seat is
/// wanted by somebody else.
pub struct Seated {
    stream: TcpStream,
    seat: Seat,
}

/// What the other end began to speak.
enum Spoken {
    Http(Seated),
    Https(Box<TlsStream<Seated>>),
}

/// Lives as long as the connection does.
pub async fn serve(stream: Seated, from: SocketAddr, reception: Reception) {
    let Reception { router, speaker, mut stopped } = reception;
    let place = stream.seat.place().clone();
    let spoken = tokio::select! {
        spoken = hello(stream, speaker) => spoken,
        _ = stopped.changed() => return,
    };
    let ended = match spoken {
        Ok(Spoken::Http(stream)) => requests(stream, (from, place), false, router, stopped).await,
        Ok(Spoken::Https(stream)) => requests(stream, (from, place), true, router, stopped).await,
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = ended {
        debug!("connection from {from}: {error}");
    }
}

/// Waits for the first byte, and shakes hands where that is one of TLS.
async fn hello(stream: Seated, speaker: Option<Speaker>) -> io::Result<Spoken> {
    let until = Instant::now() + HELLO_DEADLINE;
    let first = timeout(HELLO_DEADLINE, stream.first_byte()).await.map_err(|_| io::ErrorKind::TimedOut)??;
    match speaker.filter(|_| first == FIRST_BYTE) {
        None => Ok(Spoken::Http(stream)),
        Some(speaker) => {
            let left = until.saturating_duration_since(Instant::now());
            Ok(Spoken::Https(Box::new(speaker.shake(stream, left).await?)))
        }
    }
}

/// Answers its requests, with the address it comes from and its place written into each of them.
async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    (from, place): (SocketAddr, Arc<Place>),
    secure: bool,
    router: Router,
    mut stopped: watch::Receiver<()>,
) -> Result<(), String> {
    let wanted = place.clone();
    let service = hyper::service::service_fn(move |mut request: Request<hyper::body::Incoming>| {
        mark(&mut request, from.ip(), secure);
        request.extensions_mut().insert(place.clone());
        router.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // Also where it is stuck in writing, and reads nothing meanwhile.
        () = wanted.gives_way() => return Err(gave_way().to_string()),
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    ended.map_err(|error| error.to_string())
}

/// Writes into a request where it comes from.
pub fn mark<B>(request: &mut Request<B>, from: IpAddr, secure: bool) {
    request.extensions_mut().insert(RemoteAddress(from));
    request.extensions_mut().insert(Knocks::default());
    if secure {
        request.extensions_mut().insert(Secure);
    }
}

impl Seated {
    /// The connection, in its seat.
    pub fn new(stream: TcpStream, seat: Seat) -> Self {
        // Signalling is small messages that must not wait for each other.
        let _ = stream.set_nodelay(true);
        let socket = SockRef::from(&stream);
        let _ = socket.set_tcp_user_timeout(Some(UNREAD_DEADLINE));
        // Else the kernel keeps megabytes for each end that reads nothing.
        let _ = socket.set_send_buffer_size(SEND_BUFFER);
        Self { stream, seat }
    }

    /// The first byte, which is still there to be read afterwards.
    async fn first_byte(&self) -> io::Result<u8> {
        let mut first = [0];
        let peeked = tokio::select! {
            peeked = self.stream.peek(&mut first) => peeked,
            () = self.seat.place().gives_way() => Err(gave_way()),
        };
        match peeked? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(first[0]),
        }
    }
}

fn gave_way() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "somebody else wanted its place")
}

impl AsyncRead for Seated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.seat.place().poll_gives_way(cx).is_ready() {
            return Poll::Ready(Err(gave_way()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Seated {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::super::door::Door;
    use super::*;

    #[tokio::test]
    async fn a_connection_does_not_wait_for_ever_for_an_end_that_reads_nothing() {
        let (_near, seated) = pair().await;
        assert_eq!(SockRef::from(&seated.stream).tcp_user_timeout().unwrap(), Some(UNREAD_DEADLINE));
        assert!(seated.stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn what_is_not_read_is_bounded_and_its_connection_ends_when_its_place_is_wanted() {
        let door = Door::new(1, 1);
        let (mut near, stuck) = pair_in(&door).await;
        assert!(SockRef::from(&stuck.stream).send_buffer_size().unwrap() <= 2 * SEND_BUFFER);
        let place = stuck.seat.place().clone();
        let router = Router::new().fallback(async || "a long answer ".repeat(1 << 20));
        let (_stop, stopped) = watch::channel(());
        let from = ([127, 0, 0, 1], 1).into();
        let serving = tokio::spawn(requests(stuck, (from, place), false, router, stopped));
        near.write_all(&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(64)).await.unwrap();
        // The answer has begun, and more than fits is on its way.
        near.peek(&mut [0]).await.unwrap();
        let _newcomer = pair_in(&door).await;
        assert_eq!(serving.await.unwrap().unwrap_err(), gave_way().to_string());
    }

    #[tokio::test]
    async fn the_first_byte_is_seen_and_left_there() {
        let (mut near, seated) = pair().await;
        near.write_all(b"GET").await.unwrap();
        assert_eq!(seated.first_byte().await.unwrap(), b'G');
        assert_eq!(seated.first_byte().await.unwrap(), b'G');
        let (near, seated) = pair().await;
        drop(near);
        assert_eq!(seated.first_byte().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn a_connection_ends_when_its_place_is_wanted_whether_it_has_spoken_or_not() {
        let door = Door::new(1, 1);
        let (_near, silent) = pair_in(&door).await;
        let waiting = tokio::spawn(async move { silent.first_byte().await });
        let (mut near, mut speaking) = pair_in(&door).await;
        assert_eq!(waiting.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        near.write_all(b"G").await.unwrap();
        assert_eq!(speaking.read_u8().await.unwrap(), b'G');
        let waiting = tokio::spawn(async move { speaking.read_u8().await });
        let (_near, settled) = pair_in(&door).await;
        assert_eq!(waiting.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        settled.seat.place().settle();
        assert!(door.enter([127, 0, 0, 1].into()).is_none());
    }

    async fn pair_in(door: &Door) -> (TcpStream, Seated) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (far, from) = listener.accept().await.unwrap();
        (near, Seated::new(far, door.enter(from.ip()).unwrap()))
    }

    async fn pair() -> (TcpStream, Seated) {
        pair_in(&Door::new(1, 1)).await
    }
}
