//! "Did you mean": the nearest valid name to what was written.
//!
//! Knows nothing of where the names come from. Hints about units are made by the units themselves.

/// The candidate nearest to `word`, if any is near enough to be what was meant.
pub fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let plain = word.to_lowercase().replace('-', "_");
    let allowed = (plain.chars().count() / 3).max(1);
    let mut best: Option<(usize, &'c str)> = None;
    for &candidate in candidates {
        let distance = strsim::osa_distance(&plain, candidate);
        let near = distance <= allowed && distance < candidate.chars().count();
        if near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    // Abbreviations are far by edits but share their beginning: `conns`, `least_conn`.
    best.map(|(_, name)| name).or_else(|| {
        let abbreviated = |c: &&&str| plain.len() >= 3 && c.starts_with(plain.as_str());
        let similar = |c: &&&str| strsim::jaro_winkler(&plain, c) > 0.9;
        candidates.iter().find(abbreviated).or_else(|| candidates.iter().find(similar)).copied()
    })
}

/// A line of help: the nearest name, or the list of all when there are few enough to read.
pub fn did_you_mean(word: &str, what: &str, candidates: &[&str]) -> String {
    if let Some(name) = nearest(word, candidates) {
        return format!("did you mean `{name}`?");
    }
    match candidates {
        [] => String::new(),
        [only] => format!("the only {what} here is `{only}`"),
        few if few.len() <= 16 => format!("{what}s here: {}", few.join(", ")),
        many => format!("{what}s here: {}, and {} more", many[..16].join(", "), many.len() - 16),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 5] = ["replicas", "round_robin", "least_connections", "in", "instances"];

    #[test]
    fn typos_abbreviations_and_hyphens_are_recognised() {
        for (word, meant) in [
            ("replica", "replicas"),
            ("round_robbin", "round_robin"),
            ("round-robin", "round_robin"),
            ("Replicas", "replicas"),
            ("least_conn", "least_connections"),
            ("isntances", "instances"),
        ] {
            assert_eq!(nearest(word, &KEYS), Some(meant), "{word}");
        }
    }

    #[test]
    fn what_is_far_from_everything_has_no_suggestion() {
        assert_eq!(nearest("queue", &KEYS), None);
        assert_eq!(nearest("xy", &KEYS), None);
        assert_eq!(nearest("", &KEYS), None);
    }

    #[test]
    fn without_a_near_name_the_names_are_listed() {
        assert_eq!(did_you_mean("zzz", "key", &["a", "b"]), "keys here: a, b");
        assert_eq!(did_you_mean("zzz", "key", &["alpha"]), "the only key here is `alpha`");
        assert_eq!(did_you_mean("zzz", "key", &[]), "");
    }
}
