//! Runs seeds of the simulation.

fn main() {
    let carrier = posthouse_sim::plan::Carrier::Values;
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    for seed in args[0]..args[0] + args[1] {
        let plan = posthouse_sim::plan::Plan::new(seed, carrier);
        let start = std::time::Instant::now();
        let outcome = posthouse_sim::world::run(&plan);
        println!(
            "{seed} {}ms {} events {:?} {:?}",
            start.elapsed().as_millis(),
            outcome.lasted_ms,
            outcome.history.events.len(),
            outcome.failure()
        );
        if args.len() > 2 {
            println!("{:#?}", outcome.remains);
            std::fs::write("/tmp/history.txt", outcome.history.to_text()).unwrap();
        }
    }
}
