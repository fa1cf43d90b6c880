//! Section A: what can be set, and what is refused.

use crate::common::{flush, paced};
use aqueduct_pipe::{Options, OptionsError, pipe};

/// What the page about security says of frames, and of pipes.
#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn the_limits_of_the_page_are_those_of_the_code() {
    aqueduct_testkit::check_limits(env!("CARGO_MANIFEST_DIR"), "Frames", &[]);
}

#[test]
fn case_001_the_defaults_pause_at_256_kib_and_resume_at_half() {
    let (mut writer, mut reader) = pipe(Options::default());
    assert!(!flush(&mut writer, &vec![1; (256 << 10) - 1]));
    assert!(flush(&mut writer, &[1]));
    let view = crate::common::data(&mut reader);
    view.consume(128 << 10);
    assert!(flush(&mut writer, &[]), "half is left");
    crate::common::data(&mut reader).consume(1);
    assert!(!flush(&mut writer, &[]));
}

#[test]
fn case_002_what_makes_no_sense_is_refused_and_named() {
    let refused = Options::builder().pause(100).max_buffered(99).build().unwrap_err();
    assert_eq!(refused, OptionsError::MaxBuffered { max_buffered: 99, pause: 100 });
    assert!(refused.to_string().contains("max_buffered of 99"), "{refused}");
    let refused = Options::builder().pause(0).max_buffered(0).build().unwrap_err();
    assert_eq!(refused, OptionsError::MaxBuffered { max_buffered: 0, pause: 0 });
    let refused = Options::builder().segments(512, 256).build().unwrap_err();
    assert_eq!(refused, OptionsError::Segments { first: 512, largest: 256 });
    assert!(refused.to_string().starts_with("segments from 512 to 256"), "{refused}");
}

#[test]
fn case_003_resume_above_pause_is_refused_and_derived_where_it_is_not_given() {
    let refused = Options::builder().pause(50).resume(100).build().unwrap_err();
    assert_eq!(refused, OptionsError::Resume { pause: 50, resume: 100 });
    assert!(refused.to_string().starts_with("resume at 100 bytes"), "{refused}");
    // The silent hang of old: a pause below the default resume.
    let (mut writer, mut reader) = pipe(Options::builder().pause(1).build().unwrap());
    assert!(flush(&mut writer, &[1]));
    crate::common::data(&mut reader).consume(1);
    assert!(!flush(&mut writer, &[]));
}

#[test]
fn case_004_resume_at_zero_resumes_when_all_is_examined() {
    let (mut writer, mut reader) = paced(64, 0);
    assert!(flush(&mut writer, &[1; 64]));
    crate::common::data(&mut reader).consume(63);
    assert!(flush(&mut writer, &[]));
    crate::common::data(&mut reader).need_more(0);
    assert!(!flush(&mut writer, &[]));
    let (mut writer, _reader) = paced(0, 0);
    assert!(!flush(&mut writer, &[1; 1000]));
}

#[test]
fn case_005_tiny_segments_are_made_usable() {
    for size in [0, 1, 63] {
        let options = Options::builder().segments(size, size).build().unwrap();
        let (mut writer, mut reader) = pipe(options);
        writer.write(&[5; 300]).unwrap();
        writer.finish();
        assert_eq!(crate::common::eof(&mut reader).len(), 300);
    }
}
