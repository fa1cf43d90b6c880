//! Threads that end while they read and write.

use aqueduct_pipe::{Options, pipe};
use aqueduct_pool::Pool;
use aqueduct_testkit::at_thread_ends;

/// Also waiting works there, for another thread.
#[test]
fn t28_halves_work_within_thread_local_destructors() {
    let pool = Pool::new();
    let options = Options::builder().pool(&pool).build().unwrap();
    at_thread_ends(move || {
        let (mut writer, mut reader) = pipe(options.clone());
        let other = std::thread::spawn(move || {
            for byte in 0..20 {
                writer.write(&[byte; 1_000]).unwrap();
                writer.push(vec![byte; 1_000]).unwrap();
                writer.flush_blocking().unwrap();
            }
            writer
        });
        let mut kept = Vec::new();
        for byte in 0..20 {
            let mut view = reader.read_at_least_blocking(2_000).unwrap().into_view();
            kept.push(view.take(2_000));
            assert_eq!(kept[usize::from(byte)], vec![byte; 2_000][..]);
        }
        let mut writer = other.join().unwrap();
        writer.write(&[1; 100]).unwrap();
        writer.flush_blocking().unwrap();
        drop((reader, writer));
        assert_eq!(kept.iter().map(aqueduct_sequence::Sequence::len).sum::<usize>(), 40_000);
    });
    assert_eq!(pool.outstanding(), 0);
}
