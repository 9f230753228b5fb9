//! Throughput of each pass over 10,000 rows, for comparing two versions of the code on one machine
//! (`cargo bench --bench convert`). The acceptance table is `floors`.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up ends there")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[path = "support/passes.rs"]
mod passes;
#[path = "support/mod.rs"]
mod support;

const ROWS: u64 = 10_000;

fn benchmarks(criterion: &mut Criterion) {
    let path = support::workers(ROWS).unwrap_or_else(|message| panic!("{message}"));
    let size = std::fs::metadata(&path).expect("the test file").len();
    let mut group = criterion.benchmark_group("convert");
    group.throughput(Throughput::Bytes(size)).sample_size(20);
    group.bench_function("csv ByteRecord", |bench| bench.iter(|| passes::byte_record(&path)));
    for (dates, name) in [(true, "dates"), (false, "no dates")] {
        let feed = support::feed(dates);
        if dates {
            group.bench_function("first pass", |bench| bench.iter(|| passes::first(&path, &feed)));
        }
        let (mut file, scan) = passes::first(&path, &feed);
        group.bench_function(format!("second pass, {name}"), |bench| {
            bench.iter(|| passes::second(&mut file, &feed, &scan));
        });
        group.bench_function(format!("both passes, {name}"), |bench| {
            bench.iter(|| passes::whole(&path, &feed));
        });
    }
    group.finish();
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);
