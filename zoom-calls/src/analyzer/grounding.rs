//! The check that keeps invented claims out (reference §2.3), run over the answer of every analyzer.

use zoom_recordings::{Transcript, Utterance};

use super::closing::score_rubric;
use crate::text::quote_tokens;
use crate::{
    Analysis, CallContext, CoachingTip, DropReason, Dropped, Evidence, Factor, FactorState, Handled, Metrics,
    NextStep, Objection, QuoteMatch, Side, Sides,
};

/// How many utterances around the cited ones are searched.
const NEIGHBOURS: u32 = 2;
/// Share of the quote's words that a fuzzy match must find, and share of the window's words that they must make up.
const QUOTE_PERMILLE: usize = 750;
const WINDOW_PART: usize = 3;
const MAX_TIPS: usize = 3;
/// A quote is a moment, not a chapter; longer ones would make the fuzzy comparison slow.
const MAX_QUOTE_TOKENS: usize = 400;

/// Verifies every claim of an analysis against the call and drops what does not stand.
///
/// In order: the cited ids exist; the quote's words stand in the cited utterances, exactly; or within two utterances of
/// them (the ids are corrected); or three quarters of them do, in order, and make up a third of the window; else the item is
/// dropped and counted in [`Analysis::dropped`]. What is shown of a quote that stands only nearly are the words that were
/// said. An objection must be the customer's, a rep's promise the rep's. Times,
/// speakers and sides come from the transcript. A tip needs a computed number that is the number it names, or a verified
/// quote. The closing score is computed anew from the factors that are left.
#[must_use]
pub fn ground(analysis: Analysis, call: &CallContext<'_>) -> Analysis {
    let mut check = Check {
        transcript: call.transcript,
        sides: call.sides,
        metrics: call.metrics,
        dropped: analysis.dropped,
    };
    let summary = analysis.summary.and_then(|mut summary| {
        summary.evidence = check.all("summary", summary.evidence, None)?;
        Some(summary)
    });
    let objections = analysis
        .objections
        .into_iter()
        .filter_map(|item| check.objection(item))
        .collect();
    let next_steps = analysis
        .next_steps
        .into_iter()
        .filter_map(|item| check.next_step(item, call))
        .collect();
    let closing = analysis.closing.map(|closing| {
        score_rubric(
            closing
                .factors
                .into_iter()
                .filter_map(|factor| check.factor(factor))
                .collect(),
        )
    });
    let mut coaching: Vec<CoachingTip> = Vec::new();
    for tip in analysis.coaching {
        if coaching.iter().filter(|kept| kept.speaker == tip.speaker).count() >= MAX_TIPS {
            check.drop("coaching", DropReason::TooMany);
        } else {
            coaching.extend(check.tip(tip));
        }
    }
    Analysis {
        summary,
        closing,
        objections,
        next_steps,
        coaching,
        dropped: check.dropped,
        ..analysis
    }
}

struct Check<'a> {
    transcript: &'a Transcript,
    sides: &'a Sides,
    metrics: &'a Metrics,
    dropped: Vec<Dropped>,
}

impl Check<'_> {
    fn drop(&mut self, item: &str, why: DropReason) {
        self.dropped.push(Dropped::new(item, why));
    }

    /// Every piece of evidence verified; `None` (and counted) when one does not stand or there is none.
    fn all(&mut self, item: &str, evidence: Vec<Evidence>, side: Option<Side>) -> Option<Vec<Evidence>> {
        if evidence.is_empty() {
            self.drop(item, DropReason::NoEvidence);
            return None;
        }
        let verified: Result<Vec<Evidence>, DropReason> = evidence
            .into_iter()
            .map(|claim| verify(claim, self.transcript, self.sides, side))
            .collect();
        verified.map_err(|why| self.drop(item, why)).ok()
    }

    fn objection(&mut self, mut item: Objection) -> Option<Objection> {
        item.evidence = self.all("objection", item.evidence, Some(Side::External))?;
        if !item.response.is_empty() {
            // An answer that does not verify takes itself away, not the objection.
            item.response = self
                .all("objection_response", item.response, Some(Side::Internal))
                .unwrap_or_default();
            if item.response.is_empty() && item.handled == Handled::Yes {
                item.handled = Handled::Unclear;
            }
        }
        Some(item)
    }

    fn next_step(&mut self, mut item: NextStep, call: &CallContext<'_>) -> Option<NextStep> {
        item.evidence = self.all("next_step", item.evidence, None)?;
        // "I will" binds the side that says it; asking the other side to act is only a proposal.
        if item.status == crate::NextStepStatus::Committed
            && item.owner_side != Side::Unknown
            && !item
                .evidence
                .iter()
                .any(|evidence| evidence.side == item.owner_side)
        {
            self.drop("next_step", DropReason::WrongSide);
            return None;
        }
        let said: Vec<String> = item
            .evidence
            .iter()
            .flat_map(|evidence| quote_tokens(&evidence.quote))
            .collect();
        let due_was_said = item
            .due_text
            .as_deref()
            .is_none_or(|due| contains(&said, &quote_tokens(due)));
        if !due_was_said {
            self.drop("next_step_due", DropReason::UnsupportedDate);
            (item.due_text, item.due_date) = (None, None);
        }
        // The day is computed here, never taken over.
        let due = item.due_text.as_deref();
        item.due_date = due.and_then(|due| super::dates::resolve(due, call.started_at?, call.timezone));
        if let Some(name) = &item.owner_name {
            let speaks = self
                .transcript
                .utterances
                .iter()
                .any(|u| u.speaker.as_deref() == Some(name));
            let named = !quote_tokens(name).is_empty() && contains(&said, &quote_tokens(name));
            if !speaks && !named {
                item.owner_name = None;
            }
        }
        if !contains(&said, &quote_tokens(&item.action)) && !item.candidate {
            // A model may put the action in its own words; then a person has to look at it.
            item.candidate = true;
        }
        Some(item)
    }

    fn factor(&mut self, factor: Factor) -> Option<Factor> {
        let claims_something = matches!(factor.state, FactorState::Yes | FactorState::Partial);
        if !claims_something {
            return Some(Factor::new(factor.kind, factor.state, Vec::new()));
        }
        if factor.evidence.is_empty() && factor.kind.is_computed() {
            return Some(Factor::new(factor.kind, factor.state, Vec::new()));
        }
        let side = factor.kind.said_by();
        let evidence = self.all("closing_factor", factor.evidence, side)?;
        Some(Factor::new(factor.kind, factor.state, evidence))
    }

    fn tip(&mut self, mut tip: CoachingTip) -> Option<CoachingTip> {
        if self.sides.of(Some(&tip.speaker)) != Side::Internal {
            self.drop("coaching", DropReason::UnknownSpeaker);
            return None;
        }
        if let Some(metric) = &tip.metric {
            let computed = self.metrics.named(&tip.speaker, &metric.name);
            if computed.is_none_or(|computed| (computed - metric.value).abs() > 1e-6) {
                self.drop("coaching", DropReason::WrongMetric);
                return None;
            }
        }
        if !tip.evidence.is_empty() || tip.metric.is_none() {
            tip.evidence = self.all("coaching", tip.evidence, None)?;
        }
        Some(tip)
    }
}

/// Finds the quote and fills in what the transcript knows.
fn verify(
    claim: Evidence,
    transcript: &Transcript,
    sides: &Sides,
    side: Option<Side>,
) -> Result<Evidence, DropReason> {
    let quote = quote_tokens(&claim.quote);
    if quote.is_empty() || claim.utterance_ids.is_empty() {
        return Err(DropReason::NoEvidence);
    }
    if quote.len() > MAX_QUOTE_TOKENS {
        return Err(DropReason::QuoteNotFound);
    }
    let mut ids = claim.utterance_ids.clone();
    ids.sort_unstable();
    ids.dedup();
    let cited: Option<Vec<&Utterance>> = ids.iter().map(|id| transcript.utterance(*id)).collect();
    let cited = cited.ok_or(DropReason::UnknownUtterance)?;

    let (found, quote_match) = if let Some(found) = exact(&cited, &quote) {
        (found, QuoteMatch::Exact)
    } else {
        let first = ids
            .first()
            .copied()
            .unwrap_or_default()
            .saturating_sub(NEIGHBOURS);
        let last = ids.last().copied().unwrap_or_default().saturating_add(NEIGHBOURS);
        // Ids far apart cite two moments, not everything between them.
        let near = |u: &&Utterance| {
            first <= u.id && u.id <= last && ids.iter().any(|id| id.abs_diff(u.id) <= NEIGHBOURS)
        };
        let around: Vec<&Utterance> = transcript.utterances.iter().filter(near).collect();
        match exact(&around, &quote) {
            Some(found) => (found, QuoteMatch::Reanchored),
            None => (
                cited.clone(),
                QuoteMatch::Fuzzy {
                    permille: fuzzy(&cited, &quote).ok_or(DropReason::QuoteNotFound)?,
                },
            ),
        }
    };
    let spoken_by = found.first().and_then(|u| u.speaker.clone());
    let of_side = sides.of(spoken_by.as_deref());
    // Where nobody's side is known, none can be the wrong one.
    let is_wrong = |wanted: Side| of_side != wanted && (of_side != Side::Unknown || sides.are_known());
    if side.is_some_and(is_wrong) {
        return Err(DropReason::WrongSide);
    }
    // Words that are only nearly the ones that were said may turn their meaning around.
    let quote = match quote_match {
        QuoteMatch::Fuzzy { .. } => found.iter().map(|u| u.text.trim()).collect::<Vec<_>>().join(" "),
        _ => claim.quote,
    };
    Ok(Evidence {
        utterance_ids: found.iter().map(|u| u.id).collect(),
        quote,
        quote_match,
        start_ms: found.iter().map(|u| u.start_ms).min().unwrap_or_default(),
        end_ms: found.iter().map(|u| u.end_ms).max().unwrap_or_default(),
        speaker: spoken_by,
        side: of_side,
    })
}

/// The utterances among these that the quote's words run through, word for word. A quote joins utterances of one speaker
/// only: words of two people are not a quote.
fn exact<'a>(among: &[&'a Utterance], quote: &[String]) -> Option<Vec<&'a Utterance>> {
    let mut tokens: Vec<(String, &'a Utterance)> = Vec::new();
    for utterance in among {
        tokens.extend(
            quote_tokens(&utterance.text)
                .into_iter()
                .map(|token| (token, *utterance)),
        );
    }
    let fits = |window: &&[(String, &'a Utterance)]| {
        let one_speaker = window.iter().all(|(_, u)| {
            window
                .first()
                .is_some_and(|(_, first)| first.speaker == u.speaker)
        });
        one_speaker
            && window
                .iter()
                .zip(quote)
                .all(|((token, _), wanted)| token == wanted)
    };
    let window = tokens.windows(quote.len()).find(fits)?;
    let mut found: Vec<&Utterance> = window.iter().map(|(_, utterance)| *utterance).collect();
    found.dedup_by_key(|u| u.id);
    Some(found)
}

/// How much of the quote stands in the cited utterances in order, in thousandths, if that is enough.
fn fuzzy(cited: &[&Utterance], quote: &[String]) -> Option<u16> {
    let one_speaker = cited
        .iter()
        .all(|u| cited.first().is_some_and(|first| first.speaker == u.speaker));
    if !one_speaker || quote.len() < 4 {
        return None;
    }
    let window: Vec<String> = cited.iter().flat_map(|u| quote_tokens(&u.text)).collect();
    let common = longest_common_subsequence(&window, quote);
    let permille = common * 1_000 / quote.len();
    let enough = permille >= QUOTE_PERMILLE && common * WINDOW_PART >= window.len();
    enough.then(|| u16::try_from(permille).unwrap_or(1_000))
}

fn longest_common_subsequence(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0_usize; b.len() + 1];
    for left in a {
        let mut diagonal = 0;
        let mut before = 0;
        for (right, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            *cell = if left == right {
                diagonal + 1
            } else {
                above.max(before)
            };
            (diagonal, before) = (above, *cell);
        }
    }
    row.last().copied().unwrap_or_default()
}

fn contains(said: &[String], part: &[String]) -> bool {
    part.is_empty() || said.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests;
