//! HTTP/1 messages, as bytes.

/// The head of a response, with the empty line that ends it.
#[must_use]
pub fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Status\r\n");
    for (name, value) in headers {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// A response with a body of known length.
#[must_use]
pub fn response(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len().to_string();
    let length = [("content-length", length.as_str())];
    let headers = [headers, &length].concat();
    [&head(status, &headers), body].concat()
}

/// A 200 with this body.
#[must_use]
pub fn ok(body: impl AsRef<[u8]>) -> Vec<u8> {
    response(200, &[], body)
}

/// A redirect.
#[must_use]
pub fn redirect(status: u16, location: &str) -> Vec<u8> {
    response(status, &[("location", location)], "")
}
