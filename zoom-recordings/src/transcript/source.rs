//! Where a transcript's words come from.

zoom_core::open_enum! {
    /// Where a transcript's words come from. A host's own source is made with `From<&str>`.
    pub enum TranscriptSource {
        /// Zoom's own transcript of the cloud recording.
        Zoom => "zoom",
        /// A Whisper model on this machine.
        Whisper => "whisper",
        /// OpenAI's audio API, or a server that speaks it.
        OpenAi => "openai",
    }
}
