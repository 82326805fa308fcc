//! One run from its connections to its report.

use std::time::{Duration, Instant};

use super::bare::Bare;
use super::clock::{thread_cpu, wake_exactly};
use super::consumer::Consumer;
use super::load::Load;
use super::login::subscribe;
use super::peer::{Peer, READ_BYTES};
use super::plan::{Plan, Shape, Target};
use super::process::{Machine, Process};
use super::producer::{Producer, Receipts};
use super::report::Report;
use super::server::Server;
use super::template::{Form, Template};
use crate::failure::Failure;
use crate::process::raise_open_files_max;

/// How long nothing may come before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// Measures a broker.
///
/// # Errors
/// When the broker cannot be reached or started, or refuses something.
pub(crate) fn measure(scenario: &str, plan: &Plan, target: &Target) -> Result<Report, Failure> {
    raise_open_files_max();
    let server = Server::open(target)?;
    let load = connect(plan, &server)?;
    run(scenario, plan, load, server.process)
}

/// Measures the machine: one producer and the consumers of `plan` over a bare loop of bytes.
///
/// # Errors
/// When the system has no more sockets.
pub(crate) fn measure_bare(plan: &Plan) -> Result<Report, Failure> {
    raise_open_files_max();
    let plan = Plan { producers: 1, destinations: 1, window: None, ..plan.clone() };
    let consumers = match plan.shape {
        Shape::Queue => 1,
        Shape::Topic => plan.consumers,
    };
    let plan = Plan { consumers, ..plan };
    let bare = Bare::start(consumers)?;
    let report = run("bare", &plan, connect_bare(&plan, &bare)?, None);
    bare.join();
    report
}

fn connect(plan: &Plan, server: &Server) -> Result<Load, Failure> {
    let mut scratch = vec![0; READ_BYTES];
    let names: Vec<String> = (0..plan.destinations).map(|at| name(plan.shape, at)).collect();
    let spread = |count: usize| (0..count).map(|at| at % names.len().max(1));
    let mut consumers = Vec::with_capacity(plan.consumers);
    for route in spread(plan.consumers) {
        let mut peer = server.access.log_in(&mut scratch)?;
        let destination = names.get(route).map_or("", String::as_str);
        subscribe(&mut peer, &mut scratch, destination, plan)?;
        consumers.push(Consumer::new(peer, route, plan.ack, plan.producers));
    }
    let mut producers = Vec::with_capacity(plan.producers);
    for route in spread(plan.producers) {
        let peer = server.access.log_in(&mut scratch)?;
        let destination = names.get(route).map_or("", String::as_str);
        let template = Template::send(&form(plan, destination))?;
        producers.push(producer(plan, peer, route, template, producers.len()));
    }
    Load::new(plan, producers, consumers, scratch)
}

fn connect_bare(plan: &Plan, bare: &Bare) -> Result<Load, Failure> {
    let consumers = (0..plan.consumers).map(|_| {
        let peer = Peer::connect(bare.address)?;
        Ok(Consumer::new(peer, 0, plan.ack, 1))
    });
    let consumers: Result<Vec<Consumer>, Failure> = consumers.collect();
    let consumers = consumers?;
    let template = Template::message(&form(plan, &name(plan.shape, 0)))?;
    let peer = Peer::connect(bare.address)?;
    let producers = vec![producer(plan, peer, 0, template, 0)];
    Load::new(plan, producers, consumers, vec![0; READ_BYTES])
}

fn producer(plan: &Plan, peer: Peer, route: usize, template: Template, at: usize) -> Producer {
    let id = u32::try_from(at).unwrap_or(u32::MAX);
    let receipts = plan.window.map(Receipts::new);
    Producer { peer, id, route, template, receipts, sent: 0 }
}

/// A destination that other runs do not use.
fn name(shape: Shape, at: usize) -> String {
    let kind = if shape == Shape::Queue { "queue" } else { "topic" };
    format!("/{kind}/bench.{}.{at}", std::process::id())
}

fn form<'f>(plan: &Plan, destination: &'f str) -> Form<'f> {
    Form {
        destination,
        body_bytes: plan.body_bytes,
        is_persistent: plan.is_persistent,
        has_receipt: plan.window.is_some(),
    }
}

/// Warms up, counts, and waits for what is still under way.
fn run(
    scenario: &str,
    plan: &Plan,
    mut load: Load,
    process: Option<Process>,
) -> Result<Report, Failure> {
    wake_exactly();
    load.run(plan.warmup)?;
    let begin = Snapshot::take(&load, process);
    load.figures.count(true);
    load.run(plan.duration)?;
    load.figures.count(false);
    let end = Snapshot::take(&load, process);
    load.drain(PATIENCE)?;
    Ok(report(scenario, plan, &load, &begin, &end))
}

/// What had been used and done at one moment.
#[derive(Debug)]
struct Snapshot {
    at: Instant,
    sent: u64,
    generator: Duration,
    server: Option<Duration>,
    machine: Option<Machine>,
}

impl Snapshot {
    fn take(load: &Load, process: Option<Process>) -> Self {
        Self {
            at: Instant::now(),
            sent: load.producers.iter().map(|producer| producer.sent).sum(),
            generator: thread_cpu(),
            server: process.and_then(Process::cpu),
            machine: Machine::now(),
        }
    }
}

fn report(scenario: &str, plan: &Plan, load: &Load, begin: &Snapshot, end: &Snapshot) -> Report {
    let time = end.at - begin.at;
    let figures = &load.figures;
    let mut report = Report::new(scenario);
    put_plan(&mut report, plan);
    report.put_rounded("seconds", Some(time.as_secs_f64()));
    report.put_rate("sent_per_s", end.sent - begin.sent, time);
    if plan.consumers > 0 {
        report.put_rate("received_per_s", figures.received, time);
    }
    if plan.window.is_some() {
        report.put_rate("confirmed_per_s", figures.confirmed, time);
    }
    put_use(&mut report, begin, end, figures.received.max(figures.confirmed));
    report.put_times("latency_us", &figures.latency);
    report.put_times("confirmation_us", &figures.confirmation);
    report.put_times("generator_lag_us", &figures.lag);
    put_checks(&mut report, plan, load);
    report
}

fn put_plan(report: &mut Report, plan: &Plan) {
    report.put("producers", plan.producers);
    report.put("consumers", plan.consumers);
    report.put("destinations", plan.destinations);
    report.put("body_bytes", plan.body_bytes);
    report.put("persistent", plan.is_persistent);
    report.put("ack", plan.ack.as_str());
    if let Some(window) = plan.window {
        report.put("window", window);
    }
    if let Some(rate) = plan.rate {
        report.put("intended_per_s", rate);
    }
}

/// Processor time for each message that was received, or confirmed when none is received.
fn put_use(report: &mut Report, begin: &Snapshot, end: &Snapshot, messages: u64) {
    let each = |time: Duration| time.as_secs_f64() * 1e6 / messages.max(1) as f64;
    let share = |time: Duration| time.as_secs_f64() * 100.0 / (end.at - begin.at).as_secs_f64();
    let server = end.server.zip(begin.server).map(|(end, begin)| end.saturating_sub(begin));
    let generator = end.generator.saturating_sub(begin.generator);
    report.put_rounded("server_cpu_us", server.map(each));
    report.put_rounded("server_cpu_percent", server.map(share));
    report.put_rounded("generator_cpu_us", Some(each(generator)));
    report.put_rounded("generator_cpu_percent", Some(share(generator)));
    let Some((end, begin)) = end.machine.zip(begin.machine) else { return };
    report.put_rounded("machine_cpu_percent", Some(share(end.busy.saturating_sub(begin.busy))));
    let stolen = end.stolen.saturating_sub(begin.stolen);
    report.put_rounded("stolen_cpu_percent", Some(share(stolen)));
}

fn put_checks(report: &mut Report, plan: &Plan, load: &Load) {
    let (mut lost, mut duplicated) = (0, 0);
    for (at, producer) in load.producers.iter().enumerate() {
        for (group, arrivals) in load.arrivals.iter().enumerate() {
            let route = match plan.shape {
                Shape::Queue => group,
                Shape::Topic => load.consumers.get(group).map_or(0, |consumer| consumer.route),
            };
            let Some(tally) = arrivals.tally(at).filter(|_| route == producer.route) else {
                continue;
            };
            lost += if plan.consumers > 0 { tally.lost(producer.sent) } else { 0 };
            duplicated += tally.duplicated();
        }
    }
    let unconfirmed: u64 = load.producers.iter().map(Producer::unconfirmed).sum();
    report.put("lost", lost + unconfirmed);
    report.put("duplicated", duplicated);
    report.put("misordered", load.arrivals.iter().map(|arrivals| arrivals.misordered).sum::<u64>());
    report.put("redelivered", load.arrivals.iter().map(|a| a.redelivered).sum::<u64>());
}
