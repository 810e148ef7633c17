//! Listening, and connections that can be torn down in the middle.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use axum::{
    Router,
    extract::{ConnectInfo, FromRequestParts, connect_info::Connected},
    response::{IntoResponse as _, Response},
    serve::{IncomingStream, Listener},
};
use http::request::Parts;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::{
    answer::Answer,
    faults::{Fault, Struck},
    simulator::Shared,
};

/// Serves until told to stop.
pub(crate) fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) {
    let service = routes.into_make_service_with_connect_info::<Connection>();
    tokio::spawn(async move {
        let server = axum::serve(Breakable(listener), service).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = server.await {
            tracing::error!(%error, "the simulator stopped listening");
        }
    });
}

/// The connection a request came on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Arc<Switch>);

#[derive(Debug, Default)]
struct Switch {
    broken: AtomicBool,
    reader: Mutex<Option<Waker>>,
}

impl Connection {
    /// Resets the connection: what was not yet sent never arrives.
    fn reset(&self) {
        self.0.broken.store(true, Ordering::Release);
        if let Some(reader) = self
            .0
            .reader
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            reader.wake();
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.0.broken.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl<S: Sync> FromRequestParts<S> for Connection {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let info = parts.extensions.get::<ConnectInfo<Self>>();
        Ok(info
            .map(|ConnectInfo(connection)| connection.clone())
            .unwrap_or_default())
    }
}

impl Connected<IncomingStream<'_, Breakable>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Breakable>) -> Self {
        stream.io().connection.clone()
    }
}

/// A listener whose connections can be reset.
struct Breakable(TcpListener);

struct Stream {
    tcp: TcpStream,
    connection: Connection,
}

impl Listener for Breakable {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (tcp, from) = Listener::accept(&mut self.0).await;
        (
            Stream {
                tcp,
                connection: Connection::default(),
            },
            from,
        )
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut reader = self
            .connection
            .0
            .reader
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *reader = Some(cx.waker().clone());
        drop(reader);
        if let Err(error) = self.connection.check() {
            // the client is to see a reset, not an end
            let _ = self.tcp.set_zero_linger();
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.check()?;
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// Keeps a request, or what is answered to it, until it is released.
pub(crate) async fn hold(sim: &Shared, struck: Option<Struck>, wanted: Fault) {
    let Some(struck) = struck.filter(|struck| struck.fault == wanted) else {
        return;
    };
    let released = {
        let mut world = sim.world();
        world.count("held");
        world.faults.released(struck)
    };
    tokio::select! {
        () = sim.stop.cancelled() => {}
        () = released => {}
    }
}

/// The answer on its way out, after what a fault does to it.
pub(crate) async fn spoil(
    sim: &Shared,
    mut answer: Answer,
    struck: Option<Struck>,
    connection: &Connection,
) -> Response {
    let Some(found) = struck else {
        return answer.into_response();
    };
    match found.fault {
        Fault::Slow => tokio::time::sleep(found.delay).await,
        Fault::Trickle => answer.pace = Some(found.delay),
        Fault::HoldAnswer => hold(sim, struck, Fault::HoldAnswer).await,
        Fault::Timeout => std::future::pending().await,
        Fault::ConnectionReset | Fault::LoseTokenResponse => {
            connection.reset();
            std::future::pending::<()>().await;
        }
        Fault::ResetMidBody => answer.cut_after = Some(answer.body.len() / 2),
        Fault::Truncated => answer.body.truncate(answer.body.len() / 2),
        Fault::EmptyFile => answer.body.clear(),
        _ => {}
    }
    answer.into_response()
}
