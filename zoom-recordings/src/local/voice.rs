//! Finds the speech in a stream of samples and cuts it into pieces Whisper can take.
//!
//! Whisper invents text when it hears silence, so silence never reaches it; and it hears thirty seconds at most, so
//! longer speech is cut where somebody pauses.

use earshot::Detector;

/// Samples of a frame: 16 ms.
pub(super) const FRAME: usize = 256;

/// Score from which a frame counts as voice.
const VOICE: f32 = 0.5;
/// Voiced frames in a row that open a piece (80 ms).
const ONSET: usize = 5;
/// Frames kept before the first and after the last voice (0.26 s): consonants are quiet.
const MARGIN: usize = 16;
/// Silent frames that close a piece (2 s).
const GAP: usize = 125;
/// Frames of the longest piece (30 s).
const LONGEST: usize = 1_875;
/// Pieces with fewer voiced frames (0.2 s) are noise.
const SHORTEST: usize = 12;

/// Frames of a pause between sentences (0.13 s), and how far off Whisper's clock may be (0.6 s).
const PAUSE: usize = 8;
const NEAR: usize = 38;

/// Speech to transcribe.
#[derive(Debug)]
pub(super) struct Piece {
    /// Where it begins in the recording, in samples.
    pub(super) start: u64,
    pub(super) samples: Vec<f32>,
    /// For each frame, whether it is voice.
    pub(super) voiced: Vec<bool>,
}

impl Piece {
    /// The piece from a frame on.
    pub(super) fn split_off(mut self, frame: usize) -> Self {
        let frame = frame.min(self.voiced.len());
        let samples = (frame * FRAME).min(self.samples.len());
        Self {
            start: self.start + samples as u64,
            voiced: self.voiced.split_off(frame),
            samples: self.samples.split_off(samples),
        }
    }

    /// The middle of the longest pause close to a time, or that time. Whisper's clock is rough; people pause between
    /// sentences.
    pub(super) fn pause_near(&self, time: u64) -> u64 {
        let frame = usize::try_from(time.saturating_sub(self.start)).unwrap_or(usize::MAX) / FRAME;
        let from = frame.saturating_sub(NEAR);
        let near = self
            .voiced
            .get(from..frame.saturating_add(NEAR).min(self.voiced.len()));
        match longest_pause(near.unwrap_or_default()) {
            Some((middle, length)) if length >= PAUSE => self.start + ((from + middle) * FRAME) as u64,
            _ => time,
        }
    }

    /// From the first to the last voice between two times of the recording, in samples.
    pub(super) fn voice_within(&self, start: u64, end: u64) -> (u64, u64) {
        let frame =
            |time: u64| usize::try_from(time.saturating_sub(self.start)).unwrap_or(usize::MAX) / FRAME;
        let time = |frame: usize| self.start + (frame * FRAME) as u64;
        let range = self
            .voiced
            .get(frame(start)..frame(end).min(self.voiced.len()))
            .unwrap_or_default();
        match (
            range.iter().position(|voiced| *voiced),
            range.iter().rposition(|voiced| *voiced),
        ) {
            (Some(first), Some(last)) => (
                start.max(time(frame(start) + first)),
                end.min(time(frame(start) + last + 1)),
            ),
            _ => (start, end),
        }
    }

    /// Voiced frames from a frame on.
    pub(super) fn voiced_after(&self, frame: usize) -> usize {
        self.voiced.iter().skip(frame).filter(|voiced| **voiced).count()
    }
}

/// Takes samples, gives pieces.
pub(super) struct Segmenter {
    detector: Box<Detector>,
    /// Less than a frame.
    partial: Vec<f32>,
    /// What may become a piece, and where it starts.
    samples: Vec<f32>,
    voiced: Vec<bool>,
    start: u64,
    /// Whether speech has begun in it.
    open: bool,
    /// Length of the run of equal frames at the end.
    run: usize,
}

impl Segmenter {
    pub(super) fn new() -> Self {
        Self {
            detector: Box::default(),
            partial: Vec::new(),
            samples: Vec::new(),
            voiced: Vec::new(),
            start: 0,
            open: false,
            run: 0,
        }
    }

    /// Takes samples (finite, within ±1) and gives the pieces they complete.
    pub(super) fn push(&mut self, samples: &[f32]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.partial.extend_from_slice(samples);
        let whole = std::mem::take(&mut self.partial);
        let mut frames = whole.chunks_exact(FRAME);
        for frame in &mut frames {
            let voiced = self.detector.predict_f32(frame) >= VOICE;
            pieces.extend(self.frame(frame, voiced));
        }
        self.partial = frames.remainder().to_vec();
        pieces
    }

    /// The piece that the end of the recording cuts off.
    pub(super) fn finish(mut self) -> Option<Piece> {
        if !self.partial.is_empty() {
            self.partial.resize(FRAME, 0.0);
            let last = std::mem::take(&mut self.partial);
            let voiced = self.detector.predict_f32(&last) >= VOICE;
            if let Some(piece) = self.frame(&last, voiced) {
                return Some(piece); // what is left is shorter than a frame
            }
        }
        let silent = self.voiced.iter().rev().take_while(|voiced| !**voiced).count();
        let frames = (self.voiced.len() - silent + MARGIN).min(self.voiced.len());
        if self.open { self.take(frames) } else { None }
    }

    fn frame(&mut self, frame: &[f32], voiced: bool) -> Option<Piece> {
        self.run = if self.voiced.last() == Some(&voiced) {
            self.run + 1
        } else {
            1
        };
        self.samples.extend_from_slice(frame);
        self.voiced.push(voiced);
        if !self.open {
            self.open = voiced && self.run >= ONSET;
            self.forget_all_but(MARGIN + ONSET);
            return None;
        }
        if !voiced && self.run >= GAP {
            let piece = self.take(self.voiced.len() - self.run + MARGIN);
            self.open = false;
            self.forget_all_but(MARGIN + ONSET);
            return piece;
        }
        if self.voiced.len() >= LONGEST {
            // Not too early, or the pieces get many and short.
            let (_, later) = self.voiced.split_at(LONGEST / 3);
            let cut = longest_pause(later).map_or(LONGEST, |(middle, _)| LONGEST / 3 + middle);
            return self.take(cut);
        }
        None
    }

    /// Removes the first frames; they are a piece if there is speech in them.
    fn take(&mut self, frames: usize) -> Option<Piece> {
        let rest = self.samples.split_off((frames * FRAME).min(self.samples.len()));
        let rest_voiced = self.voiced.split_off(frames.min(self.voiced.len()));
        let piece = Piece {
            start: self.start,
            samples: std::mem::replace(&mut self.samples, rest),
            voiced: std::mem::replace(&mut self.voiced, rest_voiced),
        };
        self.start += piece.samples.len() as u64;
        (piece.voiced_after(0) >= SHORTEST).then_some(piece)
    }

    fn forget_all_but(&mut self, frames: usize) {
        let surplus = self.voiced.len().saturating_sub(frames);
        self.voiced.drain(..surplus);
        self.samples.drain(..surplus * FRAME);
        self.start += (surplus * FRAME) as u64;
    }
}

/// Middle and length of the longest run without voice; of equal ones the last.
fn longest_pause(voiced: &[bool]) -> Option<(usize, usize)> {
    let (mut best, mut length) = (None, 0);
    for (index, voiced) in voiced.iter().enumerate() {
        length = if *voiced { 0 } else { length + 1 };
        if length > 0 && best.is_none_or(|(_, longest)| length >= longest) {
            best = Some((index + 1 - length / 2, length));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(pattern: &[(bool, usize)]) -> Vec<bool> {
        pattern
            .iter()
            .flat_map(|(voiced, count)| std::iter::repeat_n(*voiced, *count))
            .collect()
    }

    /// Runs the cutting without the detector, on silence that is called voice.
    fn cut(pattern: &[(bool, usize)]) -> Vec<(u64, usize)> {
        let mut segmenter = Segmenter::new();
        let mut pieces = Vec::new();
        for voiced in frames(pattern) {
            pieces.extend(segmenter.frame(&[0.0; FRAME], voiced));
        }
        pieces.extend(segmenter.finish());
        pieces
            .iter()
            .map(|piece| (piece.start / FRAME as u64, piece.voiced.len()))
            .collect()
    }

    #[test]
    fn silence_gives_no_piece() {
        assert_eq!(cut(&[(false, 4_000)]), []);
        let mut segmenter = Segmenter::new();
        assert!(segmenter.push(&vec![0.0; 16_000 * 20]).is_empty());
        assert!(segmenter.finish().is_none());
    }

    #[test]
    fn clicks_shorter_than_speech_are_ignored() {
        assert_eq!(
            cut(&[
                (false, 100),
                (true, ONSET - 1),
                (false, 300),
                (true, ONSET),
                (false, 300)
            ]),
            []
        );
    }

    #[test]
    fn a_click_before_speech_does_not_open_the_piece() {
        assert_eq!(
            cut(&[(false, 50), (true, 1), (false, 100), (true, 100)]),
            [(151 - 16, 16 + 100)]
        );
    }

    #[test]
    fn a_long_silence_divides_and_margins_stay() {
        let pieces = cut(&[(false, 200), (true, 100), (false, 300), (true, 50), (false, 10)]);
        assert_eq!(pieces, [(200 - 16, 16 + 100 + 16), (600 - 16, 16 + 50 + 10)]);
    }

    #[test]
    fn a_short_silence_does_not_divide() {
        assert_eq!(
            cut(&[(true, 100), (false, GAP - 1), (true, 100)]),
            [(0, 200 + GAP - 1)]
        );
    }

    #[test]
    fn long_speech_is_cut_in_its_longest_pause() {
        let pieces = cut(&[
            (true, 1_000),
            (false, 40),
            (true, 500),
            (false, 20),
            (true, 1_000),
        ]);
        assert_eq!(pieces, [(0, 1_020), (1_020, 2_560 - 1_020)]);
        assert!(pieces.iter().all(|(_, length)| *length <= LONGEST));
    }

    #[test]
    fn speech_without_a_pause_is_cut_at_thirty_seconds_and_nothing_is_lost() {
        assert_eq!(
            cut(&[(true, 4_000)]),
            [(0, LONGEST), (1_875, LONGEST), (3_750, 250)]
        );
    }

    #[test]
    fn times_move_to_a_pause_close_by() {
        let voiced = frames(&[
            (true, 100),
            (false, 20),
            (true, 100),
            (false, PAUSE - 1),
            (true, 100),
        ]);
        let piece = Piece {
            start: 1_000,
            samples: vec![0.0; voiced.len() * FRAME],
            voiced,
        };
        let at = |frame: u64| 1_000 + frame * FRAME as u64;
        assert_eq!(piece.pause_near(at(130)), at(110));
        assert_eq!(piece.pause_near(at(95)), at(110));
        assert_eq!(piece.pause_near(at(60)), at(60), "too far away");
        assert_eq!(piece.pause_near(at(222)), at(222), "too short");
        assert_eq!(piece.pause_near(at(9_999)), at(9_999));
    }

    #[test]
    fn times_are_drawn_in_to_the_voice() {
        let voiced = frames(&[(false, 10), (true, 5), (false, 2), (true, 3), (false, 10)]);
        let piece = Piece {
            start: 1_000,
            samples: vec![0.0; 30 * FRAME],
            voiced,
        };
        let at = |frame: u64| 1_000 + frame * FRAME as u64;
        assert_eq!(piece.voice_within(at(2), at(29)), (at(10), at(20)));
        assert_eq!(
            piece.voice_within(at(12) + 7, at(18)),
            (at(12) + 7, at(18)),
            "never further out"
        );
        assert_eq!(
            piece.voice_within(at(1), at(9)),
            (at(1), at(9)),
            "no voice, nothing to draw to"
        );
        assert_eq!(piece.voice_within(at(40), at(50)), (at(40), at(50)));
    }

    #[test]
    fn splitting_a_piece_keeps_its_times() {
        let piece = Piece {
            start: 1_000,
            samples: vec![0.0; 10 * FRAME],
            voiced: frames(&[(true, 6), (false, 4)]),
        };
        assert_eq!(piece.voiced_after(4), 2);
        let rest = piece.split_off(4);
        assert_eq!(
            (rest.start, rest.samples.len(), rest.voiced.len()),
            (1_000 + 4 * 256, 6 * FRAME, 6)
        );
    }
}
