//! A second handle on a connection's socket, so that a handler can close the line.

use std::any::Any;
use std::net::{Shutdown, TcpStream};

use actix_web::dev::Extensions;

/// A connection's socket.
#[derive(Debug)]
pub(super) struct Wire(TcpStream);

impl Wire {
    /// Keeps a handle on each new connection.
    pub(super) fn keep(connection: &dyn Any, data: &mut Extensions) {
        let stream = connection.downcast_ref::<actix_web::rt::net::TcpStream>();
        if let Some(wire) = stream.and_then(duplicate) {
            data.insert(Self(wire));
        }
    }

    /// Closes the line in both directions.
    pub(super) fn close(&self) {
        // It may be closed already, which is all that is wanted.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

#[cfg(unix)]
fn duplicate(stream: &actix_web::rt::net::TcpStream) -> Option<TcpStream> {
    use std::os::fd::AsFd as _;

    Some(stream.as_fd().try_clone_to_owned().ok()?.into())
}

#[cfg(windows)]
fn duplicate(stream: &actix_web::rt::net::TcpStream) -> Option<TcpStream> {
    use std::os::windows::io::AsSocket as _;

    Some(stream.as_socket().try_clone_to_owned().ok()?.into())
}
