/// The first file compiles, so the others fail for the reason they are here for.
#[test]
fn only_verify_makes_a_delivery() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/it/ui/01_verify_makes_a_delivery.rs");
    cases.compile_fail("tests/it/ui/02_a_delivery_has_no_constructor.rs");
    cases.compile_fail("tests/it/ui/03_a_delivery_cannot_be_written_out.rs");
}
