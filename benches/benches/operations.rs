//! The rows of the report under criterion: the same functions, one group per row.

use std::time::Duration;

use copy_cost::rows;
use criterion::{Criterion, criterion_group, criterion_main};

fn operations(criterion: &mut Criterion) {
    for row in rows::all() {
        let mut group = criterion.benchmark_group(&row.id);
        for mut subject in (row.build)() {
            let operations = subject.operations;
            group.bench_function(subject.key, |bencher| {
                bencher.iter_custom(|iterations| {
                    let ns = subject.work.run(iterations) / operations;
                    Duration::from_secs_f64(ns / 1e9)
                });
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600));
    targets = operations
}
criterion_main!(benches);
