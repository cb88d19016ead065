//! Health checks: when a backend counts as down, and when as up again.
//!
//! Active checks probe on a schedule; passive ones count the failures of real traffic. Neither
//! knows the truth: only what came back.

use crate::units::{Duration, Ratio};
use crate::{choice, config};

config! {
    /// How a balancer learns that a backend is down; a key beside a preset overrides it.
    pub struct HealthConfig, short = preset {
        /// The defaults of a product.
        preset: Option<HealthPreset> = "none",
        /// From the start of one probe to the start of the next.
        every: Option<Duration> = "none" source "2 s without a preset: HAProxy's `inter`",
        /// A probe not answered in this time has failed.
        timeout: Option<Duration> = "none" source "1 s without a preset: Kubernetes' probe timeout",
        /// Failures in a row that take a backend out.
        fall: Option<u64> = "none" in 1..=1_000_000
            source "3 without a preset: HAProxy's `fall`",
        /// Successes in a row that take it in again.
        rise: Option<u64> = "none" in 1..=1_000_000
            source "2 without a preset: HAProxy's `rise`",
        /// What a probe asks.
        probe: Option<Probe> = "none",
    }
}

choice! {
    /// The defaults of a product.
    #[derive(Copy, PartialEq, Eq)]
    pub enum HealthPreset {
        /// Passive only: one failure takes a server out for 10 s (max_fails, fail_timeout).
        nginx: Nginx,
        /// A connection attempt every 2 s, fall 3, rise 2.
        haproxy: Haproxy,
        /// A request every 30 s, timeout 5 s, unhealthy after 2, healthy after 5.
        alb: Alb,
    }
}

choice! {
    /// What a probe asks.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Probe {
        /// A request that passes through accept queue and worker.
        request: Request,
        /// Opening a connection: answered by the machine, whatever its workers do.
        tcp: Tcp,
    }
}

config! {
    /// Ejection by failures of real calls, as Envoy's outlier detection.
    pub struct EjectionConfig, short = failures {
        /// Failures in a row that eject.
        failures: u64 = "5" in 1..=1_000_000 source "Envoy, consecutive_5xx",
        /// How long a backend stays out.
        r#for: Duration = "30s" source "Envoy, base_ejection_time",
        /// Largest share of the backends that may be out (one always may).
        at_most: Ratio = "10%" source "Envoy, max_ejection_percent",
    }
}

impl HealthConfig {
    /// The active check, and the passive one that a preset may mean.
    pub fn plan(&self) -> (Option<HealthPlan>, Option<EjectionPlan>) {
        let seconds = |seconds: i64| Duration(seconds * 1_000_000_000);
        let preset = self.preset.value;
        let (every, timeout, fall, rise, probe) = match preset {
            Some(HealthPreset::Alb) => (seconds(30), seconds(5), 2, 5, Probe::Request),
            Some(HealthPreset::Haproxy) => (seconds(2), seconds(2), 3, 2, Probe::Tcp),
            Some(HealthPreset::Nginx) | None => (seconds(2), seconds(1), 3, 2, Probe::Request),
        };
        let count = |written: Option<u64>, default| written.map_or(default, |count| count as u32);
        let active = HealthPlan {
            every: self.every.value.unwrap_or(every),
            timeout: self.timeout.value.unwrap_or(timeout),
            fall: count(self.fall.value, fall),
            rise: count(self.rise.value, rise),
            probe: self.probe.value.unwrap_or(probe),
        };
        let keys = self.every.value.is_some()
            || self.timeout.value.is_some()
            || self.fall.value.is_some()
            || self.rise.value.is_some()
            || self.probe.value.is_some();
        if preset == Some(HealthPreset::Nginx) {
            let passive = EjectionPlan { failures: 1, out: seconds(10), at_most: 1.0 };
            return (keys.then_some(active), Some(passive));
        }
        (Some(active), None)
    }
}

impl EjectionConfig {
    /// The plan.
    pub fn plan(&self) -> EjectionPlan {
        EjectionPlan {
            failures: self.failures.value as u32,
            out: self.r#for.value,
            at_most: self.at_most.value.0,
        }
    }
}

/// An active health check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthPlan {
    /// From the start of one probe to the start of the next.
    pub every: Duration,
    /// A probe not answered in this time has failed.
    pub timeout: Duration,
    /// Failures in a row that take a backend out.
    pub fall: u32,
    /// Successes in a row that take it in again.
    pub rise: u32,
    /// What a probe asks.
    pub probe: Probe,
}

/// Passive ejection by failures in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EjectionPlan {
    /// Failures in a row that eject.
    pub failures: u32,
    /// How long it stays out.
    pub out: Duration,
    /// Largest share of the backends that may be out (at least one always may).
    pub at_most: f64,
}

/// What one checker has seen of one backend.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    successes: u32,
    failures: u32,
}

impl Seen {
    /// A probe's result: whether the backend changes to up (`Some(true)`) or down (`Some(false)`).
    pub fn probed(&mut self, plan: &HealthPlan, ok: bool, up: bool) -> Option<bool> {
        if ok {
            self.failures = 0;
            self.successes += 1;
            (!up && self.successes >= plan.rise).then_some(true)
        } else {
            self.successes = 0;
            self.failures += 1;
            (up && self.failures >= plan.fall).then_some(false)
        }
    }

    /// A real call's result: whether the backend is to be ejected.
    pub fn observed(&mut self, plan: &EjectionPlan, ok: bool) -> bool {
        if ok {
            self.failures = 0;
            return false;
        }
        self.failures += 1;
        if self.failures < plan.failures {
            return false;
        }
        self.failures = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_falls_after_failures_in_a_row_and_rises_after_successes_in_a_row() {
        let plan = HealthPlan {
            every: Duration(1),
            timeout: Duration(1),
            fall: 2,
            rise: 2,
            probe: Probe::Request,
        };
        let mut seen = Seen::default();
        assert_eq!(seen.probed(&plan, false, true), None);
        assert_eq!(seen.probed(&plan, true, true), None);
        assert_eq!(seen.probed(&plan, false, true), None);
        assert_eq!(seen.probed(&plan, false, true), Some(false));
        assert_eq!(seen.probed(&plan, true, false), None);
        assert_eq!(seen.probed(&plan, true, false), Some(true));
    }
}
