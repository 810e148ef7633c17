use super::*;

fn calls(missing: &[MissingScope]) -> Vec<&str> {
    missing.iter().map(|scope| scope.call).collect()
}

#[test]
fn any_one_scope_of_a_row_is_enough_in_either_naming() {
    for feature in Feature::ALL {
        for call in feature.calls() {
            for scope in call.classic.iter().chain(call.granular) {
                let granted = Scopes::parse(scope);
                assert!(
                    call.is_covered(&granted, AppKind::User),
                    "{scope} for {}",
                    call.call
                );
                let reaches = scope.ends_with(":admin") || scope.ends_with(":master");
                assert_eq!(
                    call.is_covered(&granted, AppKind::Admin),
                    reaches,
                    "{scope} for {}",
                    call.call
                );
            }
            for kind in [AppKind::User, AppKind::Admin] {
                let alternatives = call.scopes_for(kind);
                assert!(!alternatives.is_empty(), "{} {kind:?}", call.call);
                for scope in alternatives {
                    assert!(
                        call.is_covered(&Scopes::parse(scope), kind),
                        "{scope} for {}",
                        call.call
                    );
                }
            }
        }
    }
}

#[test]
fn every_call_that_is_not_covered_is_named_with_what_would_do() {
    let granted = Scopes::parse("cloud_recording:delete:recording_file user:read:user");
    let missing = Feature::DeleteRecordings.missing(&granted, AppKind::User);
    assert_eq!(calls(&missing), ["DELETE /meetings/{meetingId}/recordings"]);
    assert_eq!(
        missing[0].alternatives,
        ["cloud_recording:delete:meeting_recording", "recording:write"]
    );
    let missing = Feature::DeleteRecordings.missing(&granted, AppKind::Admin);
    assert_eq!(missing.len(), 2);
    assert_eq!(
        missing[1].alternatives,
        [
            "cloud_recording:delete:recording_file:admin",
            "recording:write:admin"
        ]
    );
    assert!(Feature::Profile.missing(&granted, AppKind::User).is_empty());
}

#[test]
fn a_classic_scope_covers_its_whole_family() {
    let granted = Scopes::parse("meeting:read");
    for feature in [
        Feature::ListMeetings,
        Feature::ReadMeetings,
        Feature::PastMeetings,
    ] {
        assert!(feature.missing(&granted, AppKind::User).is_empty(), "{feature}");
    }
    assert!(
        !Feature::CreateMeetings
            .missing(&granted, AppKind::User)
            .is_empty()
    );
}

#[test]
fn reports_are_for_administrators_whatever_the_app() {
    for missing in Feature::Reports.missing(&Scopes::parse("user:read"), AppKind::User) {
        assert!(
            missing.alternatives.iter().all(|scope| scope.ends_with(":admin")),
            "{missing:?}"
        );
    }
}

#[test]
fn names_are_those_that_serde_writes() {
    for feature in Feature::ALL {
        assert_eq!(serde_json::to_value(feature).unwrap(), feature.as_str());
        assert_eq!(Feature::from_name(feature.as_str()), Some(feature));
    }
    assert_eq!(Feature::from_name("of_a_later_version"), None);
}
