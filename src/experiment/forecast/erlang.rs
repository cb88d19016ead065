//! Formulas for one station with random arrivals: waiting, loss, sharing.
//!
//! Pure functions of a rate, a mean time of work in seconds and a number of servers. Erlang's
//! formulas and their extensions stand in every textbook (Gross, Shortle, Thompson, Harris,
//! Fundamentals of Queueing Theory, ch. 3 and 6; Harchol-Balter, Performance Modeling and Design of
//! Computer Systems, ch. 14, 23, 30). They do not know whether their assumptions hold.

/// Random arrivals to several servers behind one queue without limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Queue {
    /// Share of the calls that wait.
    pub prob_wait: f64,
    /// Mean wait of all calls in seconds.
    pub wait_s: f64,
}

/// Random arrivals to several servers with room for so many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// Share of the calls that find it full.
    pub rejected: f64,
    /// Mean wait in seconds of those that do not.
    pub wait_s: f64,
}

/// Erlang B: the share of the calls that find all servers busy where nobody waits. It depends on
/// the mean of the work only.
pub fn erlang_b(load: f64, servers: u32) -> f64 {
    // The recurrence needs no factorial, which would overflow.
    (1..=servers).fold(1.0, |b, k| load * b / (f64::from(k) + load * b))
}

/// Erlang C, M/M/c; none where the load is too much for it.
pub fn erlang_c(rate: f64, work_s: f64, servers: u32) -> Option<Queue> {
    let (load, c) = (rate * work_s, f64::from(servers));
    if !(load > 0.0 && load < c) {
        return None;
    }
    let blocked = erlang_b(load, servers);
    let prob_wait = blocked / (1.0 - load / c * (1.0 - blocked));
    Some(Queue { prob_wait, wait_s: prob_wait * work_s / (c - load) })
}

/// Pollaczek and Khinchine, M/G/1: work of any law, `scv` being its variance over its squared mean.
pub fn pollaczek_khinchine(rate: f64, work_s: f64, scv: f64) -> Option<Queue> {
    let queue = erlang_c(rate, work_s, 1)?;
    // Whoever comes at random finds the server busy as often as it is.
    Some(Queue { wait_s: queue.wait_s * (1.0 + scv) / 2.0, ..queue })
}

/// Allen and Cunneen for Poisson arrivals, M/G/c (Lee and Longton 1959): the wait of M/M/c times
/// (1 + scv) / 2. An approximation; within some percent at high load.
pub fn allen_cunneen(rate: f64, work_s: f64, scv: f64, servers: u32) -> Option<f64> {
    Some(erlang_c(rate, work_s, servers)?.wait_s * (1.0 + scv) / 2.0)
}

/// M/M/c/K with so many places in the queue; `places` is K - c.
pub fn limited(rate: f64, work_s: f64, servers: u32, places: u32) -> Room {
    let load = rate * work_s;
    let (ratio, last) = (load / f64::from(servers), f64::from(places));
    // The states without a free server, from the end where they are most likely: their weights
    // fall from 1 by a constant factor, and what has become nothing can be left out.
    let (falls, rising) = if ratio > 1.0 { (1.0 / ratio, true) } else { (ratio, false) };
    let (mut weight, mut busy, mut queue) = (1.0_f64, 0.0, 0.0);
    for step in 0..=places {
        let waiting = if rising { last - f64::from(step) } else { f64::from(step) };
        busy += weight;
        queue += waiting * weight;
        weight *= falls;
        if weight < busy * 1e-18 {
            break;
        }
    }
    let (nobody, full) = match rising {
        true => (falls.powf(last), 1.0),
        false => (1.0, falls.powf(last)),
    };
    // Of the states without a queue, all servers are busy in Erlang's share.
    let total = busy + nobody * (1.0 / erlang_b(load, servers) - 1.0);
    let rejected = full / total;
    Room { rejected, wait_s: queue / total / (rate * (1.0 - rejected)) }
}

/// Mean time at cores that all who are present share, M/G/c-PS: each has at most one core. It
/// depends on the mean of the work only, and so is that of M/M/c.
pub fn shared(rate: f64, work_s: f64, cores: u32) -> Option<f64> {
    Some(work_s + erlang_c(rate, work_s, cores)?.wait_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 2e-5, "{found} for {expected}");
    }

    #[test]
    fn erlang_c_gives_the_textbook_waits() {
        // P-QUE-01, 06, 07.
        let queue = |rate, servers| erlang_c(rate, 0.01, servers).expect("it is stable");
        close(queue(80.0, 1).wait_s, 0.04);
        close(queue(80.0, 1).prob_wait, 0.8);
        close(queue(320.0, 4).wait_s, 0.007_455_41);
        close(queue(320.0, 4).prob_wait, 0.596_432);
        close(queue(1800.0, 20).wait_s, 0.002_753_85);
        close(queue(1800.0, 20).prob_wait, 0.550_769);
        assert_eq!(erlang_c(100.0, 0.01, 1), None);
        assert_eq!(erlang_c(0.0, 0.01, 1), None);
    }

    #[test]
    fn work_of_other_laws_waits_by_its_variance() {
        // P-QUE-02 to 05: constant, lognormal, hyperexponential, Erlang.
        let wait = |rate, work_s, scv| {
            pollaczek_khinchine(rate, work_s, scv).expect("it is stable").wait_s
        };
        close(wait(70.0, 0.01, 0.0), 0.011_666_67);
        close(wait(60.0, 0.01, 2.0), 0.0225);
        close(wait(50.0, 0.01, 5.0), 0.03);
        close(wait(55.0, 0.012, 1.0 / 3.0), 0.015_529_41);
        close(pollaczek_khinchine(70.0, 0.01, 0.0).expect("stable").prob_wait, 0.7);
        // P-QUE-11 and 12 give the approximation beside the true waits, 5.88766 and 25.3626 ms.
        close(allen_cunneen(340.0, 0.01, 0.0, 4).expect("stable"), 0.005_744_3);
        close(allen_cunneen(240.0, 0.01, 4.0, 3).expect("stable"), 0.026_966);
    }

    #[test]
    fn nobody_waits_where_there_is_no_place() {
        // P-QUE-09, 10.
        close(erlang_b(8.0, 10), 0.121_661);
        close(erlang_b(10.0, 12), 0.119_739);
        let room = limited(8.0, 1.0, 10, 0);
        close(room.rejected, 0.121_661);
        assert_eq!(room.wait_s, 0.0);
        assert_eq!(erlang_b(1000.0, 1), 1000.0 / 1001.0);
    }

    #[test]
    fn a_limited_queue_rejects_and_shortens_the_wait() {
        // P-QUE-08: answered after 36.1101 ms, of which 10 are work.
        let room = limited(450.0, 0.01, 4, 16);
        close(room.rejected, 0.124_089);
        close(room.wait_s, 0.026_110_1);
        // M/M/1/K at full load: all K + 1 states are as likely.
        let room = limited(100.0, 0.01, 1, 9);
        close(room.rejected, 1.0 / 11.0);
        close(room.wait_s, (45.0 / 11.0) / (100.0 * 10.0 / 11.0));
        // Much room is none where little comes; and far above the capacity the rest is rejected.
        let queue = erlang_c(80.0, 0.01, 1).expect("it is stable");
        close(limited(80.0, 0.01, 1, 100_000).wait_s, queue.wait_s);
        close(limited(1000.0, 0.01, 1, 1_000_000).rejected, 0.9);
    }

    #[test]
    fn shared_cores_depend_on_the_mean_only() {
        // P-QUE-13, 14.
        close(shared(70.0, 0.01, 1).expect("stable"), 0.033_333_3);
        close(shared(60.0, 0.01, 1).expect("stable"), 0.025);
        assert_eq!(shared(100.0, 0.01, 1), None);
    }
}
