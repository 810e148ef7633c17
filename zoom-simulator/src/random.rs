//! Everything that looks random comes from one seed, so that a run can be repeated.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A splitmix64 sequence and the shapes of Zoom's identifiers.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below the limit, which must not be zero.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.number().checked_rem(limit).unwrap_or_default()
    }

    /// Letters and digits.
    pub(crate) fn text(&mut self, length: usize) -> String {
        (0..length)
            .filter_map(|_| {
                let at = usize::try_from(self.below(LETTERS.len() as u64)).unwrap_or_default();
                LETTERS.get(at).map(|letter| char::from(*letter))
            })
            .collect()
    }

    /// Lower-case hex digits, 16 for each number drawn.
    pub(crate) fn hex(&mut self, numbers: usize) -> String {
        (0..numbers).map(|_| format!("{:016x}", self.number())).collect()
    }

    /// The usual form of a recording file's id.
    pub(crate) fn guid(&mut self) -> String {
        let (a, b) = (self.number(), self.number());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            (b >> 52) & 0xfff,
            b & 0xffff_ffff_ffff
        )
    }

    /// 16 bytes in base64. The shape cycles with `nth`: plain, with a slash in front, with two slashes inside.
    pub(crate) fn meeting_uuid(&mut self, nth: usize) -> String {
        let bytes = [self.number().to_be_bytes(), self.number().to_be_bytes()].concat();
        let plain: String = STANDARD
            .encode(bytes)
            .chars()
            .map(|c| if c == '/' { '+' } else { c })
            .collect();
        let mut chars: Vec<char> = plain.chars().collect();
        let slashes: &[usize] = match nth % 4 {
            1 => &[0],
            2 => &[7, 8],
            3 => &[11],
            _ => &[],
        };
        for at in slashes {
            if let Some(c) = chars.get_mut(*at) {
                *c = '/';
            }
        }
        chars.into_iter().collect()
    }

    /// Eleven digits, beyond what 32 bits can hold.
    pub(crate) fn meeting_id(&mut self) -> u64 {
        81_000_000_000 + self.below(8_999_999_999)
    }

    /// A meeting's password: six characters with a letter and a digit.
    pub(crate) fn password(&mut self) -> String {
        format!("a{}7", self.text(4))
    }

    /// The body of a tracking id.
    pub(crate) fn tracking_id(&mut self) -> String {
        format!("v=2.0;clid=us02;rid=WEB_{}", self.hex(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_come_in_every_awkward_shape_and_stay_base64() {
        let mut random = Random::new(7);
        let uuids: Vec<String> = (0..8).map(|nth| random.meeting_uuid(nth)).collect();
        assert!(uuids.iter().any(|uuid| uuid.starts_with('/')));
        assert!(uuids.iter().any(|uuid| uuid.contains("//")));
        assert!(uuids.iter().any(|uuid| !uuid.contains('/')));
        for uuid in &uuids {
            assert_eq!(STANDARD.decode(uuid).unwrap().len(), 16, "{uuid}");
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_world() {
        let draw = || {
            let mut random = Random::new(3);
            (random.text(12), random.guid(), random.meeting_id())
        };
        assert_eq!(draw(), draw());
    }
}
