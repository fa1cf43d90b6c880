//! Why a request is refused, and what a status is called.

/// A request was refused, with this status. Nothing behind it on the connection is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) u16);

/// It does not parse, or could be read in two ways.
pub(crate) const BAD: Fault = Fault(400);
pub(crate) const TIMEOUT: Fault = Fault(408);
pub(crate) const BODY_TOO_LARGE: Fault = Fault(413);
/// `Expect` asks for what is not known here.
pub(crate) const EXPECTATION: Fault = Fault(417);
pub(crate) const HEAD_TOO_LARGE: Fault = Fault(431);
/// The service failed.
pub(crate) const INTERNAL: Fault = Fault(500);
pub(crate) const VERSION: Fault = Fault(505);

/// What follows the status in an answer's first line; empty where it is not known.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
