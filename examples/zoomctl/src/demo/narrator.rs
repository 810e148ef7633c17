//! Tells the story, or keeps quiet.

/// Who tells the story as it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Narrator {
    speaks: bool,
}

impl Narrator {
    pub(crate) fn new(speaks: bool) -> Self {
        Self { speaks }
    }

    pub(crate) fn speaks(self) -> bool {
        self.speaks
    }

    /// A new chapter.
    pub(crate) fn chapter(self, title: &str) {
        if self.speaks {
            println!("\n{title}");
        }
    }

    /// Something that happened.
    pub(crate) fn say(self, line: impl AsRef<str>) {
        if self.speaks {
            println!("  {}", line.as_ref());
        }
    }

    /// Lines that are laid out already.
    pub(crate) fn show(self, text: &str) {
        if self.speaks {
            print!("{text}");
        }
    }
}
