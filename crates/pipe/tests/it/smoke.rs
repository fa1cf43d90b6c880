use aqueduct_pipe::{Options, Read, pipe};
#[test]
fn smoke() {
    let (mut w, mut r) = pipe(Options::default());
    let mut want = Vec::new();
    let mut got = Vec::new();
    for i in 0..2000usize {
        let b = aqueduct_testkit::pattern(i % 700, i);
        if i % 5 == 0 {
            w.push(b.clone()).unwrap();
        } else {
            w.write(&b).unwrap();
        }
        want.extend_from_slice(&b);
        if i % 3 == 0 {
            let _ = w.try_flush().unwrap();
        }
        if i % 7 == 0 {
            if let Some(read) = r.try_read().unwrap() {
                let mut view = read.into_view();
                let n = view.len() * 2 / 3;
                for s in view.take(n / 2) {
                    got.extend_from_slice(&s);
                }
                got.extend(view.seq().slice(..n - n / 2).to_contiguous().iter());
                view.consume(n - n / 2);
            }
        }
    }
    w.finish();
    let Some(Read::Eof(view)) = r.try_read().unwrap() else { panic!() };
    got.extend(view.seq().to_contiguous().iter());
    assert_eq!(got.len(), want.len());
    assert!(got == want);
}
