//! What the types promise to the compiler: sizes, threads, and a printable form.

use std::fmt::Debug;
use std::mem::{align_of, size_of};

use aqueduct_slice::{
    AllocError, Appender, Interner, LocalSlice, NoHeadroom, Published, RangeError, RawSlice, Slice,
    SliceMut, Str, Unjoined, Utf8Error,
};
use aqueduct_testkit::{is_send, is_sync, pattern};

#[cfg(target_pointer_width = "64")]
#[test]
fn t12_handles_and_headers_have_their_size_and_alignment() {
    use aqueduct_slice::owner::Header;
    const {
        assert!(size_of::<Slice>() == 24);
        assert!(size_of::<Option<Slice>>() == 24);
        assert!(size_of::<Str>() == 24);
        assert!(size_of::<Option<Str>>() == 24);
        assert!(align_of::<Slice>() == 8);
        assert!(size_of::<LocalSlice>() <= 24);
        assert!(size_of::<SliceMut>() <= 40);
        assert!(size_of::<Header>() <= 32);
        // Two words, and what it takes to align them.
        assert!(Appender::OVERHEAD == 16 + 7);
        // The low bits of a header's address carry the tag.
        assert!(align_of::<Header>() >= 8);
    }
}

#[test]
fn t25_which_types_may_cross_threads() {
    let table = [
        ("Slice", is_send!(Slice), is_sync!(Slice), true, true),
        ("SliceMut", is_send!(SliceMut), is_sync!(SliceMut), true, true),
        ("LocalSlice", is_send!(LocalSlice), is_sync!(LocalSlice), false, false),
        ("Str", is_send!(Str), is_sync!(Str), true, true),
        ("Interner", is_send!(Interner), is_sync!(Interner), true, true),
        ("Appender", is_send!(Appender), is_sync!(Appender), true, true),
        ("Published", is_send!(Published), is_sync!(Published), true, true),
        ("RangeError", is_send!(RangeError), is_sync!(RangeError), true, true),
        ("Unjoined", is_send!(Unjoined), is_sync!(Unjoined), true, true),
        ("NoHeadroom", is_send!(NoHeadroom), is_sync!(NoHeadroom), true, true),
        ("Utf8Error", is_send!(Utf8Error), is_sync!(Utf8Error), true, true),
        ("AllocError", is_send!(AllocError), is_sync!(AllocError), true, true),
        // The words of a slice, on their way through the kernel and back to one thread.
        ("RawSlice", is_send!(RawSlice), is_sync!(RawSlice), true, false),
    ];
    for (name, send, sync, may_send, may_sync) in table {
        assert_eq!((send, sync), (may_send, may_sync), "{name}: (Send, Sync)");
    }
}

fn shows(value: &impl Debug) -> String {
    let (plain, pretty) = (format!("{value:?}"), format!("{value:#?}"));
    assert!(!plain.is_empty() && !pretty.is_empty());
    plain
}

#[test]
fn t11_slices_print_in_every_state() {
    let long = pattern(100, 1);
    assert_eq!(shows(&Slice::new()), "b\"\"");
    assert_eq!(shows(&Slice::from_static(b"a\n\"\\\xff")), r#"b"a\n\"\\\xff""#);
    assert_eq!(shows(&Slice::copy_from_slice(b"inline")), "b\"inline\"");
    let states = [
        Slice::from(long.clone()),
        Slice::from_owner(long.clone()),
        Slice::copy_from_slice(&long),
        Slice::copy_from_slice(&long).slice_shared(1..1),
        Slice::copy_from_slice(b"short").pin(),
    ];
    for slice in &states {
        let shared = slice.clone();
        assert_eq!(shows(slice), shows(&shared));
        assert!(shows(slice).starts_with("b\"") && shows(slice).ends_with('"'));
    }
    let local = Slice::from(long).into_local().expect("alone");
    assert!(shows(&local).contains('b'));
}

#[test]
fn t11_mutable_slices_print_in_every_state() {
    let mut m = SliceMut::new();
    assert_eq!(shows(&m), "b\"\"");
    m.extend_from_slice(b"abc");
    assert_eq!(shows(&m), "b\"abc\"");
    m.advance(1);
    assert_eq!(shows(&m), "b\"bc\"");
    let frozen = m.split_frozen(1);
    assert_eq!((shows(&frozen), shows(&m)), ("b\"b\"".into(), "b\"c\"".into()));
    m.clear();
    assert_eq!(shows(&m), "b\"\"");
    assert_eq!(shows(&SliceMut::with_headroom(8, 8)), "b\"\"");
}

#[test]
fn t11_appenders_print_in_every_state() {
    let (mut appender, published) = Appender::new(SliceMut::with_capacity(64));
    appender.commit(3);
    shows(&appender);
    appender.publish();
    assert_eq!(shows(&published), "Published { taken: 0, available: 3, sealed: false }");
    drop(appender);
    assert_eq!(shows(&published), "Published { taken: 0, available: 3, sealed: true }");
}

#[test]
fn t11_text_and_errors_print_in_every_state() {
    assert_eq!(shows(&Str::from("a\"b")), r#""a\"b""#);
    let mut names = Interner::new();
    shows(&names);
    let _ = names.intern("key");
    shows(&names);
    shows(&Str::from_utf8(Slice::from_static(b"\xff")).expect_err("not text"));
    shows(&Slice::new().try_slice(1..).expect_err("past the end"));
    let (a, b) = (Slice::from(pattern(50, 1)), Slice::from(pattern(50, 2)));
    shows(&a.try_unsplit(b).expect_err("two blocks"));
    shows(&SliceMut::new().prepend(b"x").expect_err("no room"));
    shows(&SliceMut::try_with_capacity(usize::MAX).expect_err("too much"));
}
