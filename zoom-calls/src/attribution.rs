//! Which marketing touch brought the contact of a call (reference §4.4): the first one, from the lead source on the contact.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::Contact;

/// Weights are parts per million, so that they add up exactly.
pub const WHOLE_PPM: u32 = 1_000_000;

/// A contact's contact with marketing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Touch {
    /// When it was; a lead source in a CRM often has no date.
    pub at: Option<Timestamp>,
    /// The lead source in the host's own words.
    pub lead_source: Option<String>,
    /// `utm_source`.
    pub source: Option<String>,
    /// `utm_medium`.
    pub medium: Option<String>,
    /// `utm_campaign`.
    pub campaign: Option<String>,
    /// Names of the click ids that came with it (`gclid`), never their values.
    pub click_ids: Vec<String>,
    /// The page that sent the visitor.
    pub referrer: Option<String>,
}

impl Touch {
    /// The first touch that a contact's record tells of, if it tells of any.
    #[must_use]
    pub fn first_of(contact: &Contact) -> Option<Self> {
        let known = [
            &contact.lead_source,
            &contact.utm_source,
            &contact.utm_medium,
            &contact.utm_campaign,
            &contact.referrer,
        ];
        let tells = known.into_iter().any(Option::is_some) || !contact.click_ids.is_empty();
        tells.then(|| Self {
            at: contact.first_touch_at,
            lead_source: contact.lead_source.clone(),
            source: contact.utm_source.clone(),
            medium: contact.utm_medium.clone(),
            campaign: contact.utm_campaign.clone(),
            click_ids: contact.click_ids.clone(),
            referrer: contact.referrer.clone(),
        })
    }

    /// The channel, by the ordered rules of reference §4.4. `fbclid` alone proves nothing: organic posts carry it too.
    #[must_use]
    pub fn channel(&self) -> Channel {
        let lower = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_lowercase();
        let (medium, source, lead, referrer) = (
            lower(&self.medium),
            lower(&self.source),
            lower(&self.lead_source),
            lower(&self.referrer),
        );
        let host = referrer
            .split("://")
            .last()
            .unwrap_or_default()
            .split('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let is_one_of = |text: &str, list: &[&str]| {
            list.iter().any(|one| {
                text == *one || text.starts_with(&format!("{one}.")) || text.contains(&format!(".{one}."))
            })
        };
        let paid_click = self.click_ids.iter().any(|id| id != "fbclid");
        let paid_medium =
            matches!(medium.as_str(), "cpc" | "ppc" | "display" | "cpm") || medium.starts_with("paid");
        let paid_lead = lead
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| matches!(word, "ads" | "adwords" | "paid" | "ppc"));
        if paid_click || paid_medium || (medium.is_empty() && paid_lead) {
            Channel::Paid
        } else if medium == "email" || medium == "e-mail" {
            Channel::Email
        } else if medium == "affiliate"
            || medium == "referral"
            || (medium.is_empty() && lead.contains("referral"))
        {
            Channel::Referral
        } else if medium == "organic" || is_one_of(&host, SEARCH) {
            Channel::OrganicSearch
        } else if medium == "social" || is_one_of(&host, SOCIAL) || is_one_of(&source, SOCIAL) {
            Channel::Social
        } else if !host.is_empty() {
            Channel::Referral
        } else if lead.is_empty() && source.is_empty() && medium.is_empty() {
            Channel::Direct
        } else {
            Channel::Other
        }
    }
}

const SEARCH: &[&str] = &[
    "google",
    "bing",
    "duckduckgo",
    "yahoo",
    "ecosia",
    "qwant",
    "yandex",
    "baidu",
];
const SOCIAL: &[&str] = &[
    "linkedin",
    "facebook",
    "instagram",
    "twitter",
    "x",
    "youtube",
    "tiktok",
    "reddit",
    "pinterest",
    "t",
];

/// A kind of marketing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Channel {
    /// An advertisement that was paid for.
    Paid,
    /// An e-mail.
    Email,
    /// A search engine, unpaid.
    OrganicSearch,
    /// A social network, unpaid.
    Social,
    /// Another site, a partner or a person.
    Referral,
    /// Nobody: the visitor came by themselves.
    Direct,
    /// Something else, named by the lead source.
    Other,
}

/// What brought the contact of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attribution {
    /// The model: `first_touch`.
    pub model: String,
    /// How far back touches count, in days before the call.
    pub lookback_days: u16,
    /// The touches that get credit; their weights add up to [`WHOLE_PPM`]. Empty: the call is unattributed, and
    /// [`unattributed`](Self::unattributed) says why.
    pub credits: Vec<Credit>,
    /// Why nothing got credit.
    pub unattributed: Option<Unattributed>,
}

/// The credit of one touch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Credit {
    /// The touch.
    pub touch: Touch,
    /// Its channel.
    pub channel: Channel,
    /// Its share, in parts per million.
    pub weight_ppm: u32,
}

/// Why a call has no attribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unattributed {
    /// No contact is linked to the call.
    NoContact,
    /// The contact's record names no source.
    NoTouch,
    /// Every touch was before the lookback window or after the call.
    OutsideWindow,
}

impl Attribution {
    /// How far back touches count unless told otherwise.
    pub const DEFAULT_LOOKBACK_DAYS: u16 = 90;

    /// Gives everything to the first touch within the lookback window, both ends included. A touch without a date is
    /// taken as the CRM's word for the first one.
    #[must_use]
    pub fn first_touch(touches: &[Touch], conversion: Option<Timestamp>, lookback_days: u16) -> Self {
        let counts = |touch: &&Touch| match (touch.at, conversion) {
            (Some(at), Some(conversion)) => {
                let hours = i64::from(lookback_days).saturating_mul(24);
                let opens = conversion.checked_sub(hours.hours()).unwrap_or(Timestamp::MIN);
                opens <= at && at <= conversion
            }
            _ => true,
        };
        let first = touches.iter().filter(counts).min_by_key(|touch| touch.at);
        let unattributed = match first {
            Some(_) => None,
            None if touches.is_empty() => Some(Unattributed::NoTouch),
            None => Some(Unattributed::OutsideWindow),
        };
        let credits = first.map(|touch| Credit {
            channel: touch.channel(),
            touch: touch.clone(),
            weight_ppm: WHOLE_PPM,
        });
        Self {
            model: "first_touch".to_owned(),
            lookback_days,
            credits: credits.into_iter().collect(),
            unattributed,
        }
    }

    /// The row for a call that nobody is linked to: it is shown, not dropped.
    #[must_use]
    pub fn no_contact(lookback_days: u16) -> Self {
        let unattributed = Some(Unattributed::NoContact);
        Self {
            model: "first_touch".to_owned(),
            lookback_days,
            credits: Vec::new(),
            unattributed,
        }
    }

    /// The lead source, or `source / medium`, of the touch with the most credit.
    #[must_use]
    pub fn label(&self) -> Option<String> {
        let touch = &self.credits.iter().max_by_key(|credit| credit.weight_ppm)?.touch;
        let utm: Vec<&str> = [&touch.source, &touch.medium]
            .into_iter()
            .filter_map(|part| part.as_deref())
            .collect();
        touch
            .lead_source
            .clone()
            .or_else(|| (!utm.is_empty()).then(|| utm.join(" / ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(at: &str, source: &str) -> Touch {
        Touch {
            at: at.parse().ok(),
            source: Some(source.to_owned()),
            ..Touch::default()
        }
    }

    #[test]
    fn the_first_touch_in_the_window_gets_everything() {
        let call = "2026-11-22T15:00:00Z".parse().ok();
        let touches = [
            touch("2026-11-01T00:00:00Z", "second"),
            touch("2026-08-24T15:00:00Z", "ninety days to the second"),
            touch("2026-08-24T14:59:59Z", "too old"),
            touch("2026-11-23T00:00:00Z", "after the call"),
        ];
        let attribution = Attribution::first_touch(&touches, call, 90);
        assert_eq!(attribution.credits.len(), 1);
        assert_eq!(
            attribution.credits[0].touch.source.as_deref(),
            Some("ninety days to the second")
        );
        assert_eq!(attribution.credits[0].weight_ppm, WHOLE_PPM);
        let too_late = Attribution::first_touch(&touches[2..], call, 90);
        assert_eq!(
            (too_late.credits.len(), too_late.unattributed),
            (0, Some(Unattributed::OutsideWindow))
        );
        assert_eq!(
            Attribution::first_touch(&[], call, 90).unattributed,
            Some(Unattributed::NoTouch)
        );
    }

    #[test]
    fn a_lead_source_without_a_date_still_counts() {
        let mut contact = Contact::new(crate::ContactId::new("1"));
        assert_eq!(Touch::first_of(&contact), None);
        contact.lead_source = Some("Google Ads".to_owned());
        let touch = Touch::first_of(&contact).unwrap();
        let attribution = Attribution::first_touch(&[touch], "2026-11-22T15:00:00Z".parse().ok(), 90);
        assert_eq!(attribution.label().as_deref(), Some("Google Ads"));
        assert_eq!(attribution.credits[0].channel, Channel::Paid);
    }

    #[test]
    fn channels_follow_the_ordered_rules() {
        let channel = |source: &str, medium: &str, referrer: &str, click: &str| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let click_ids = some(click).into_iter().collect();
            Touch {
                source: some(source),
                medium: some(medium),
                referrer: some(referrer),
                click_ids,
                ..Touch::default()
            }
            .channel()
        };
        assert_eq!(channel("google", "cpc", "", ""), Channel::Paid);
        assert_eq!(channel("newsletter", "email", "", "gclid"), Channel::Paid);
        assert_eq!(
            channel("newsletter", "email", "https://www.google.com/", ""),
            Channel::Email
        );
        assert_eq!(
            channel("", "", "https://www.google.com/search?q=x", ""),
            Channel::OrganicSearch
        );
        assert_eq!(
            channel("", "", "https://lnkd.linkedin.com/x", "fbclid"),
            Channel::Social
        );
        assert_eq!(
            channel("", "", "https://partner.example/x", ""),
            Channel::Referral
        );
        assert_eq!(channel("", "", "", ""), Channel::Direct);
        assert_eq!(channel("podcast", "", "", ""), Channel::Other);
    }
}
