//! What was asked for, line by line, as it arrived.

use std::collections::VecDeque;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::simulator::Shared;

/// So many lines are kept; the oldest go first.
const MOST: usize = 10_000;

/// The first line of a request: what every proxy and every access log on its way can read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct RequestLine {
    /// `GET`, `POST`…
    pub method: String,
    /// Path and query, letter by letter.
    pub target: String,
}

#[derive(Debug, Default)]
pub(crate) struct RequestLines(VecDeque<RequestLine>);

impl RequestLines {
    fn add(&mut self, line: RequestLine) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    pub(crate) fn all(&self) -> Vec<RequestLine> {
        self.0.iter().cloned().collect()
    }
}

/// Notes a request before anything is done about it.
pub(crate) async fn note(State(sim): State<Shared>, request: Request, next: Next) -> Response {
    let line = RequestLine {
        method: request.method().to_string(),
        target: request.uri().to_string(),
    };
    sim.world().requests.add(line);
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_go_first() {
        let mut lines = RequestLines::default();
        for number in 0..=MOST {
            lines.add(RequestLine {
                method: "GET".to_owned(),
                target: format!("/{number}"),
            });
        }
        assert_eq!(lines.0.len(), MOST);
        assert_eq!(lines.0[0].target, "/1");
    }
}
