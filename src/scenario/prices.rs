//! Prices: the shipped tables, what a scenario changes in them, and the lines of its bill.
//!
//! **Prices** the machines of components and hosts by the time, the bytes of the answers to users,
//! and what passes through a balancer that is paid by it. **Leaves out** storage, what comes in,
//! traffic between zones, support, taxes, and every free allowance. What has no price is listed,
//! not counted as nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Document;
use super::regions::Copy;
use crate::components::config::{MachineConfig, RowName};
use crate::components::{NodeConfig, RoomConfig};
use crate::language::suggest::did_you_mean;
use crate::language::{Decode, Diagnostics, FileId, Span, Spanned, Table, node};
use crate::units::{Bytes, Price, Ratio};
use crate::world::cost::{CostBasis, CostLinePlan, CostPlan, Tariff};
use crate::world::users::rhythm::ProfileConfig;
use crate::{choice, config};

config! {
    /// What things cost. Other keys are rows of the table with the price that is really paid:
    /// `m5.xlarge: $0.1/h`.
    pub struct PricesConfig, short = table {
        /// The shipped table of list prices.
        table: TableName = "aws_us_east_1",
        /// Taken off the prices of the table; prices in the scenario are what is paid.
        discount: Ratio = "0%",
        /// Requests of the mean hour over those of an hour like the run. When left out, 40%; under
        /// a diurnal profile 100%, because such a run holds its mean already.
        mean_to_peak: Option<Ratio> = "none"
            source "System Design Primer: 0.004 requests/s of a user on average; 0.01 at the peak",
    }
    others {
        /// Prices in place of those of the table, by row.
        rows: Price,
    }
    unbuilt {
        cross_region: "bytes between regions",
        queue: "requests of a queue",
        logs: "bytes of logs",
    }
}

choice! {
    /// A shipped table of list prices.
    #[derive(Copy, PartialEq, Eq)]
    pub enum TableName {
        /// Amazon Web Services in us-east-1, on demand, in US dollars.
        aws_us_east_1: AwsUsEast1,
    }
}

config! {
    /// A row of a price table.
    pub struct RowConfig {
        /// By the time, or by the amount.
        price: Price = required,
        /// Cores of a machine.
        cores: Option<u64> = "none",
        /// Memory of a machine.
        memory: Option<Bytes> = "none",
        /// The row by which the bytes that such a machine answers with are paid.
        traffic: Option<RowName> = "none",
        /// Prices of what lies beyond an amount of a month.
        steps: Vec<RowStep> = "[]",
        /// Where the price comes from.
        source: String = required,
    }
}

config! {
    /// A price of what lies beyond an amount.
    pub struct RowStep {
        /// The amount of a month.
        from: Bytes = required,
        /// The price of what lies beyond.
        price: Price = required,
    }
}

/// Requests of the mean hour over those of the peak hour: 0.004/s over 0.01/s of one user.
const MEAN_TO_PEAK: f64 = 0.4;
/// Where a price comes from that is in no table.
const WRITTEN: &str = "the scenario";
/// The row for bytes to the users.
const EGRESS: &str = "egress";
/// The row for bytes to the users from edge caches, and for each answer there.
const EDGE: &str = "cdn";
const EDGE_CALLS: &str = "cdn_requests";

/// A price table as a scenario has it.
pub(super) struct Prices {
    rows: BTreeMap<String, Row>,
    config: Option<PricesConfig>,
}

struct Row {
    config: RowConfig,
    /// Dollars of this row over those written in the table.
    factor: f64,
    /// Where the price comes from.
    source: String,
}

/// A component as it is written, and its number.
struct Payer<'a> {
    name: &'a Spanned<String>,
    number: usize,
    room: &'a dyn RoomConfig,
}

impl Prices {
    /// The table that a document names, with its changes.
    pub(super) fn new(document: &Document, out: &mut Diagnostics) -> Self {
        let config = document.prices.value.clone();
        let table = config.as_ref().map_or(TableName::AwsUsEast1, |config| config.table.value);
        let mut rows = table.rows();
        if let Some(config) = &config {
            let paid = 1.0 - config.discount.value.0;
            rows.values_mut().for_each(|row| row.factor = paid);
            for (name, price) in config.rows.iter() {
                change(&mut rows, name, price, out);
            }
        }
        Self { rows, config }
    }

    /// The cores and the memory of a machine of a type; mistakes go to `out`.
    pub(super) fn machine(
        &self,
        machine: &MachineConfig,
        out: &mut Diagnostics,
    ) -> (Option<u64>, Option<Bytes>) {
        let Some(name) = &machine.r#type.value else { return (None, None) };
        let Some(row) = self.rows.get(&name.0) else {
            unknown(&name.0, machine.r#type.span, &self.rows, out);
            return (None, None);
        };
        if row.config.price.value.per_month().is_none() {
            let message = format!("`{}` is paid by the amount and is no machine", name.0);
            out.error("E0504", machine.r#type.span, message);
        }
        (row.config.cores.value, row.config.memory.value)
    }

    /// Dollars a month for a machine of a type.
    fn month<'a>(&'a self, machine: &'a MachineConfig) -> Option<(&'a RowName, &'a Row, f64)> {
        let name = machine.r#type.value.as_ref()?;
        let row = self.rows.get(&name.0)?;
        Some((name, row, row.config.price.value.per_month()? * row.factor))
    }

    /// The price by the amount of a row, and where it comes from.
    fn tariff(&self, name: &str) -> (Tariff, &str) {
        let Row { config, factor, source } = &self.rows[name];
        let later = config
            .steps
            .value
            .iter()
            .map(|step| (step.from.value.0 as f64 / 1e9, step.price.value.dollars * factor));
        let first = (0.0, config.price.value.dollars * factor);
        (Tariff { steps: std::iter::once(first).chain(later).collect() }, source)
    }

    /// The lines of one component, one instance of which stands for `each` written ones; whether
    /// all its machines have a price.
    fn component(
        &self,
        payer: &Payer<'_>,
        each: f64,
        lines: &mut Vec<CostLinePlan>,
        out: &mut Diagnostics,
    ) -> bool {
        let Payer { name, number, room } = *payer;
        // Instances that come and go are alike, and paid while they are there.
        let machines = |count: f64, month: f64| match room.autoscale() {
            Some(_) => CostBasis::Ordered { component: number, each, month },
            None => CostBasis::Machines { number: count, month },
        };
        let common = room.common();
        let instances = common.instances.value.finite().unwrap_or(1) as usize;
        let nodes = room.nodes().unwrap_or_else(|| vec![NodeConfig::default(); instances]);
        let price = common.price.value.map(Price::per_month);
        match price {
            Some(Some(month)) => {
                lines.push(line(name, "price", WRITTEN, machines(nodes.len() as f64, month)));
            }
            Some(None) => {
                out.error("E0504", common.price.span, "an instance is paid per month or per hour")
                    .help("write it like $140/month or $0.192/h");
            }
            None => {}
        }
        // Nodes may have machines of several types.
        let mut types: Vec<(&str, f64)> = Vec::new();
        let mut all_priced = true;
        for node in &nodes {
            let machine = node.machine.or(common.machine.value.as_ref());
            match machine.and_then(|machine| self.month(machine)) {
                Some((row, ..)) => match types.iter_mut().find(|(name, _)| *name == row.0) {
                    Some((_, number)) => *number += 1.0,
                    None => types.push((&row.0, 1.0)),
                },
                None => all_priced = false,
            }
        }
        for (row, count) in types {
            let Row { config, source, factor } = &self.rows[row];
            if let (None, Some(month)) = (price, config.price.value.per_month()) {
                lines.push(line(name, row, source, machines(count, month * factor)));
            }
            if let Some(traffic) = &config.traffic.value {
                let (tariff, source) = self.tariff(&traffic.0);
                let without = Vec::new();
                let basis = CostBasis::Answers { component: number, without, tariff };
                lines.push(line(name, &traffic.0, source, basis));
            }
        }
        all_priced || price.is_some() || common.host.value.is_some()
    }

    /// The lines of an edge cache, which is paid by what it answers.
    fn edge(&self, name: &Spanned<String>, component: usize, lines: &mut Vec<CostLinePlan>) {
        let (tariff, source) = self.tariff(EDGE);
        let basis = CostBasis::Answers { component, without: Vec::new(), tariff };
        lines.push(line(name, EDGE, source, basis));
        let (tariff, source) = self.tariff(EDGE_CALLS);
        let each = tariff.steps[0].1 / 1e6;
        lines.push(line(name, EDGE_CALLS, source, CostBasis::Calls { component, each }));
    }

    /// The lines of a document's bill; none where nothing has a price and none was asked for. What
    /// the edge answers takes the place of egress where users are who it answers: `entered`.
    pub(super) fn plan(
        &self,
        document: &Document,
        copies: &[Copy<'_>],
        shrink: f64,
        sizes: &[f64],
        entered: &BTreeSet<usize>,
        out: &mut Diagnostics,
    ) -> Option<CostPlan> {
        let (mut lines, mut unpriced) = (Vec::new(), Vec::new());
        let (mut on_hosts, mut edges) = (Vec::new(), Vec::new());
        for (name, host) in document.hosts.iter() {
            match self.month(&host.value) {
                Some((row, Row { source, .. }, month)) => {
                    let basis = CostBasis::Machines { number: 1.0, month };
                    lines.push(line(name, &row.0, source, basis))
                }
                None => on_hosts.push(name.value.clone()),
            }
        }
        for (index, copy) in copies.iter().enumerate() {
            let name = &Spanned::new(copy.name.clone(), copy.base.span);
            let payer = Payer { name, number: index + 1, room: copy.config.room() };
            if payer.room.users_trip().is_some() {
                edges.push((name.clone(), payer.number));
                continue;
            }
            let each = sizes[payer.number] * shrink;
            if !self.component(&payer, each, &mut lines, out) {
                unpriced.push(copy.name.clone());
            }
        }
        if lines.is_empty() && self.config.is_none() {
            return None;
        }
        unpriced.extend(on_hosts);
        edges.iter().for_each(|(name, number)| self.edge(name, *number, &mut lines));
        let edges = edges.into_iter().map(|(_, number)| number);
        let edges = edges.filter(|number| entered.contains(number)).collect();
        let (tariff, source) = self.tariff(EGRESS);
        let users = Spanned::new("users".to_owned(), document.users.span);
        let basis = CostBasis::Answers { component: 0, without: edges, tariff };
        lines.push(line(&users, EGRESS, source, basis));
        let diurnal = matches!(document.users.profile.value, ProfileConfig::Diurnal(_));
        let usual = if diurnal { 1.0 } else { MEAN_TO_PEAK };
        let config = self.config.as_ref();
        Some(CostPlan {
            table: config.map_or(TableName::AwsUsEast1, |one| one.table.value).name().into(),
            discount: config.map_or(0.0, |one| one.discount.value.0),
            mean_to_peak: config.and_then(|one| one.mean_to_peak.value).map_or(usual, |one| one.0),
            shrink,
            lines,
            unpriced,
        })
    }
}

fn line(payer: &Spanned<String>, item: &str, source: &str, basis: CostBasis) -> CostLinePlan {
    CostLinePlan { payer: payer.value.clone(), item: item.into(), source: source.into(), basis }
}

/// Puts what is really paid in the place of a row's price.
fn change(
    rows: &mut BTreeMap<String, Row>,
    name: &Spanned<String>,
    price: &Spanned<Price>,
    out: &mut Diagnostics,
) {
    let Some(row) = rows.get_mut(&name.value) else {
        return unknown(&name.value, name.span, rows, out);
    };
    let (old, new) = (row.config.price.value, price.value);
    if old.per != new.per && (old.per_month().is_none() || new.per_month().is_none()) {
        let message = format!("`{}` is not paid per {}", name.value, new.per.word());
        out.error("E0504", price.span, message).help(format!("it is paid per {}", old.per.word()));
        return;
    }
    row.config.price.value = new;
    row.config.steps.value.clear();
    row.factor = 1.0;
    row.source = WRITTEN.into();
}

fn unknown(name: &str, span: Span, rows: &BTreeMap<String, Row>, out: &mut Diagnostics) {
    let known: Vec<&str> = rows.keys().map(String::as_str).collect();
    let help = did_you_mean(name, "row", &known);
    out.error("E0501", span, format!("the price table has no row `{name}`")).help(help);
}

impl TableName {
    /// As it is written.
    const fn name(self) -> &'static str {
        match self {
            TableName::AwsUsEast1 => "aws_us_east_1",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            TableName::AwsUsEast1 => include_str!("prices/aws_us_east_1.yaml"),
        }
    }

    /// The rows by their names.
    fn rows(self) -> BTreeMap<String, Row> {
        let mut out = Diagnostics::new();
        let root = node::parse(FileId(0), self.text(), &mut out);
        let table = root.and_then(|root| Table::<RowConfig>::decode(&root, &mut out));
        let entries = table.filter(|_| !out.has_errors()).map(|table| table.entries);
        let entries = entries.unwrap_or_else(|| panic!("{}: {out:?}", self.name()));
        let row = |config: Spanned<RowConfig>| {
            let source = config.value.source.value.clone();
            Row { config: config.value, factor: 1.0, source }
        };
        entries.into_iter().map(|(name, config)| (name.value, row(config))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Per;

    #[test]
    fn every_row_of_the_table_can_be_used() {
        let rows = TableName::AwsUsEast1.rows();
        assert!(rows.contains_key(EGRESS));
        for (name, Row { config, source, .. }) in &rows {
            assert!(RowName::parse(name).is_ok(), "{name}");
            assert!(source.len() > 10, "{name} says where it comes from");
            let by_time = config.price.value.per_month().is_some();
            assert_eq!(config.cores.value.is_some(), config.memory.value.is_some(), "{name}");
            if let Some(traffic) = &config.traffic.value {
                assert_eq!(rows[&traffic.0].config.price.value.per, Per::Gigabyte);
            }
            let mut before = 0;
            for step in &config.steps.value {
                assert!(!by_time && step.from.value.0 > before, "{name}");
                assert_eq!(step.price.value.per, config.price.value.per);
                before = step.from.value.0;
            }
        }
    }

    /// The monthly prices that the source states.
    #[test]
    fn hourly_prices_give_the_months_of_the_source() {
        let rows = TableName::AwsUsEast1.rows();
        for (name, month) in [
            ("t3.medium", 30.37),
            ("c6i.large", 62.05),
            ("c6i.xlarge", 124.1),
            ("m5.xlarge", 140.16),
            ("db.t3.large", 105.85),
            ("db.m5.large", 124.83),
            ("db.m6g.xlarge.multi_az", 513.92),
            ("db.r5.4xlarge", 1617.68),
            ("cache.r5.4xlarge", 1258.52),
            ("cache.m6g.12xlarge", 2596.61),
            ("alb", 16.43),
        ] {
            let found = rows[name].config.price.value.per_month().expect("by the time");
            assert!((found - month).abs() < 0.006, "{name}: {found}, not {month}");
        }
    }
}
