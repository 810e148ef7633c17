//! Everything this process logs, at the finest level, searched for what must never be in it.

use std::{
    collections::BTreeSet,
    io,
    sync::{Mutex, OnceLock, PoisonError},
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

/// What is looked for: the text, and the forms it takes in hex and in base64.
pub(crate) struct Needles(Vec<String>);

impl Needles {
    pub(crate) fn of(marker: &str) -> Self {
        let hex: String = marker.bytes().map(|byte| format!("{byte:02x}")).collect();
        let base64 = (0..3).map(|offset| base64_inside(marker, offset));
        Self(base64.chain([marker.to_owned(), hex]).collect())
    }

    pub(crate) fn are_in(&self, bytes: &[u8]) -> bool {
        self.0.iter().any(|needle| {
            bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes())
        })
    }
}

/// How the text looks within base64 when so many bytes stand before it; the characters shared with neighbours left out.
fn base64_inside(text: &str, offset: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let padded: Vec<u8> = std::iter::repeat_n(0, offset).chain(text.bytes()).collect();
    let whole = padded.chunks_exact(3).skip(usize::from(offset > 0));
    let quads = whole.flat_map(|chunk| {
        let bits = u32::from(chunk[0]) << 16 | u32::from(chunk[1]) << 8 | u32::from(chunk[2]);
        [18, 12, 6, 0].map(|shift| char::from(ALPHABET[(bits >> shift & 63) as usize]))
    });
    quads.collect()
}

/// What the log has shown since [`Capture::install`].
pub(crate) struct Capture {
    needles: Needles,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    lines: usize,
    targets: BTreeSet<String>,
    leaks: Vec<String>,
}

static CAPTURE: OnceLock<Capture> = OnceLock::new();

impl Capture {
    /// Captures from now on, in every thread, `tracing` and `log` alike. Once per process.
    pub(crate) fn install(marker: &str) -> &'static Self {
        let capture = CAPTURE.get_or_init(|| Self {
            needles: Needles::of(marker),
            seen: Mutex::default(),
        });
        tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_ansi(false)
            .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
            .with_writer(capture)
            .init();
        capture
    }

    pub(crate) fn lines(&self) -> usize {
        self.seen().lines
    }

    pub(crate) fn targets(&self) -> BTreeSet<String> {
        self.seen().targets.clone()
    }

    /// The lines with a secret in them; forgets them.
    pub(crate) fn take_leaks(&self) -> Vec<String> {
        std::mem::take(&mut self.seen().leaks)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One event on its way into the capture.
pub(crate) struct Line {
    target: Option<String>,
}

impl<'a> MakeWriter<'a> for &'static Capture {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { target: None }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line {
        Line {
            target: Some(meta.target().to_owned()),
        }
    }
}

impl io::Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let Some(capture) = CAPTURE.get() else {
            return Ok(line.len());
        };
        let target = self.target.clone().unwrap_or_default();
        // Zoom's side of the wire may know its own secrets.
        let leaks = !target.starts_with("zoom_simulator") && capture.needles.are_in(line);
        let mut seen = capture.seen();
        seen.lines += 1;
        seen.targets.insert(target);
        if leaks {
            seen.leaks.push(String::from_utf8_lossy(line).into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_marker_is_found_inside_base64_wherever_it_stands() {
    // "id:marker-5e7a!" and two more, as `base64` prints them
    let needles = Needles::of("marker-5e7a");
    for text in [
        "aWQ6bWFya2VyLTVlN2Eh",
        "aTptYXJrZXItNWU3YSE=",
        "OjptYXJrZXItNWU3YQ==",
        "6d61726b65722d35653761",
    ] {
        assert!(needles.are_in(text.as_bytes()), "{text}");
    }
    assert!(!needles.are_in(b"bWFyay01ZTdh"));
}
