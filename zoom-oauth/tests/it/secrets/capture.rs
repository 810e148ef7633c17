//! Everything that this process logs, at the finest level and for every target, and what its panics say.

use std::{
    collections::BTreeSet,
    io, panic,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

#[derive(Default)]
pub(crate) struct Captured {
    pub(crate) lines: Vec<Vec<u8>>,
    pub(crate) targets: BTreeSet<String>,
    pub(crate) panics: Vec<String>,
}

static CAPTURED: OnceLock<Mutex<Captured>> = OnceLock::new();

pub(crate) fn captured() -> MutexGuard<'static, Captured> {
    let captured = CAPTURED.get_or_init(Mutex::default);
    captured.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on, in every thread, `tracing` and `log` alike. Once per process.
pub(crate) fn install() {
    tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_ansi(false)
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_writer(Writer)
        .init();
    let printed = panic::take_hook();
    panic::set_hook(Box::new(move |news| {
        captured().panics.push(format!("{news} {news:?}"));
        printed(news);
    }));
}

struct Writer;

struct Line(String);

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(String::new())
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line {
        Line(meta.target().to_owned())
    }
}

impl io::Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // Zoom's side of the wire may know its own secrets.
        if !self.0.starts_with("zoom_simulator") {
            let mut captured = captured();
            captured.lines.push(line.to_vec());
            captured.targets.insert(std::mem::take(&mut self.0));
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
