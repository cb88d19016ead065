//! Closed users who think, over stations of product form: exact throughput, and bounds.
//!
//! The exact values are those of mean value analysis (Reiser and Lavenberg 1980), found by the
//! convolution of the stations (Buzen 1973): with several servers at a station the recursion of
//! mean values subtracts nearly equal numbers, the convolution only adds. The bounds are those of
//! Muntz and Wong (1974). Times are in seconds. It does not know whether the stations are of
//! product form.

/// More users than this are not followed one by one.
pub const USERS_MAX: u32 = 5_000;

/// A station: first come first served with exponential work, or shared by all who are there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Station {
    /// Mean work of one request over all its visits.
    pub demand_s: f64,
    /// Servers; each serves one.
    pub servers: f64,
}

impl Station {
    /// How many servers work where so many are present.
    fn working(&self, present: usize) -> f64 {
        self.servers.min(present as f64)
    }
}

/// How so many users fare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circulation {
    /// Requests per second.
    pub throughput: f64,
    /// Mean time from sending a request to its answer.
    pub response_s: f64,
}

/// What no system can exceed, whatever the laws of its work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Most requests per second.
    pub throughput: f64,
    /// Least mean time to the answer.
    pub response_s: f64,
    /// The number of users from which on some must wait: where the two limits meet.
    pub saturation: f64,
}

/// The exact mean values of a closed network; none for more users than are followed.
///
/// `delay_s` is the time of a request at no station, `think_s` that between two requests.
pub fn exact(stations: &[Station], delay_s: f64, think_s: f64, users: u32) -> Option<Circulation> {
    if users == 0 || users > USERS_MAX {
        return None;
    }
    let all = users as usize;
    // The logarithm of the normalising constant by number of users: first of those who think.
    let apart = delay_s + think_s;
    let mut constant = vec![0.0_f64];
    for present in 1..=all {
        constant.push(constant[present - 1] + (apart / present as f64).ln());
    }
    for station in stations.iter().filter(|station| station.demand_s > 0.0) {
        constant = match station.servers <= 1.0 {
            true => with_single(&constant, station.demand_s / station.servers),
            false => with_several(&constant, station),
        };
    }
    let throughput = (constant[all - 1] - constant[all]).exp();
    let response_s = f64::from(users) / throughput - think_s;
    throughput.is_finite().then_some(Circulation { throughput, response_s })
}

/// One server more: the terms of fewer users are in the sum before.
fn with_single(constant: &[f64], demand_s: f64) -> Vec<f64> {
    let mut with: Vec<f64> = Vec::with_capacity(constant.len());
    for &without in constant {
        let fewer = with.last().map_or(f64::NEG_INFINITY, |before| before + demand_s.ln());
        with.push(log_sum(&[without, fewer]));
    }
    with
}

fn with_several(constant: &[f64], station: &Station) -> Vec<f64> {
    let mut here = vec![0.0_f64];
    for present in 1..constant.len() {
        let step = (station.demand_s / station.working(present)).ln();
        here.push(here[present - 1] + step);
    }
    let mut terms = Vec::with_capacity(constant.len());
    (0..constant.len())
        .map(|all| {
            terms.clear();
            terms.extend((0..=all).map(|present| here[present] + constant[all - present]));
            log_sum(&terms)
        })
        .collect()
}

/// The logarithm of a sum, from the logarithms of its terms.
fn log_sum(terms: &[f64]) -> f64 {
    let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + terms.iter().map(|term| (term - most).exp()).sum::<f64>().ln()
}

/// The asymptotic bounds; none where no station has work.
pub fn bounds(stations: &[Station], delay_s: f64, think_s: f64, users: u32) -> Option<Bounds> {
    let slowest = stations.iter().map(|one| one.demand_s / one.servers).fold(0.0, f64::max);
    let alone_s = delay_s + stations.iter().map(|one| one.demand_s).sum::<f64>();
    let all = f64::from(users);
    (slowest > 0.0).then(|| Bounds {
        throughput: (all / (alone_s + think_s)).min(1.0 / slowest),
        response_s: alone_s.max(all * slowest - think_s),
        saturation: (alone_s + think_s) / slowest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 2e-5, "{found} for {expected}");
    }

    fn single(demand_s: f64) -> Station {
        Station { demand_s, servers: 1.0 }
    }

    #[test]
    fn three_tiers_are_as_by_exact_mean_value_analysis() {
        // P-NET-04.
        let tiers = [single(0.025), single(0.02), single(0.004)];
        let table = [
            (1, 0.953_289, 0.049),
            (10, 9.437_09, 0.059_648_8),
            (30, 26.9878, 0.111_613),
            (60, 39.731, 0.510_155),
        ];
        for (users, throughput, response_s) in table {
            let found = exact(&tiers, 0.0, 1.0, users).expect("few users");
            close(found.throughput, throughput);
            close(found.response_s, response_s);
            let most = bounds(&tiers, 0.0, 1.0, users).expect("there is work");
            // Alone, one user is as fast as the bounds.
            assert!(found.throughput <= most.throughput * (1.0 + 1e-9));
            assert!(found.response_s >= most.response_s * (1.0 - 1e-9));
        }
        let most = bounds(&tiers, 0.0, 1.0, 60).expect("there is work");
        close(most.throughput, 40.0);
        close(most.saturation, 41.96);
    }

    #[test]
    fn one_server_repairs_the_machines() {
        // P-NET-03, M/M/1//N.
        let table = [
            (10, 1.978_31, 0.054_83),
            (50, 9.813_91, 0.094_811_2),
            (100, 18.486, 0.409_502),
            (120, 19.8862, 1.034_34),
            (200, 20.0, 5.0),
        ];
        for (users, throughput, response_s) in table {
            let found = exact(&[single(0.05)], 0.0, 5.0, users).expect("few users");
            close(found.throughput, throughput);
            close(found.response_s, response_s);
        }
    }

    /// The same by the chain's balance equations, for a station of several servers (M/M/c//N).
    #[test]
    fn several_servers_are_as_their_markov_chain_says() {
        for (users, servers) in [(5, 2.0_f64), (80, 3.0), (400, 64.0)] {
            let (think_s, work_s) = (1.0, 0.2);
            let mut weights = vec![1.0_f64];
            for present in 1..=users {
                let arrive = f64::from(users - present + 1) / think_s;
                let leave = servers.min(f64::from(present)) / work_s;
                weights.push(weights[weights.len() - 1] * arrive / leave);
            }
            let total: f64 = weights.iter().sum();
            let busy: f64 =
                weights.iter().enumerate().map(|(n, w)| w * servers.min(n as f64)).sum();
            let station = Station { demand_s: work_s, servers };
            let found = exact(&[station], 0.0, think_s, users as u32).expect("few users");
            close(found.throughput, busy / total / work_s);
        }
    }

    #[test]
    fn many_users_and_servers_stay_within_the_bounds() {
        let stations = [Station { demand_s: 0.5, servers: 200.0 }, single(0.002)];
        let found = exact(&stations, 0.1, 3.0, USERS_MAX).expect("as many as are followed");
        let most = bounds(&stations, 0.1, 3.0, USERS_MAX).expect("there is work");
        assert!(found.throughput <= most.throughput * (1.0 + 1e-9), "{found:?} {most:?}");
        close(found.throughput, 400.0);
        assert_eq!(exact(&stations, 0.1, 3.0, USERS_MAX + 1), None);
        // Who neither thinks nor waits elsewhere is always at the station.
        close(exact(&[single(0.01)], 0.0, 0.0, 7).expect("few users").throughput, 100.0);
    }
}
