//! The codes of diagnostics and their long explanations, for `explain E0101`.
//!
//! Holds the codes of reading and decoding. Higher floors keep lists of the same type for their own
//! mistakes; a code, once given, keeps its meaning.

/// One code.
pub struct Code {
    /// The code, `E0101`.
    pub id: &'static str,
    /// What it is about, one line.
    pub title: &'static str,
    /// Why it is a mistake and how to write it instead.
    pub text: &'static str,
}

/// The codes of this floor, in order.
pub const CODES: &[Code] = &[
    code(
        "E0001",
        "not valid YAML",
        "The file cannot be read as one document of YAML 1.2. Usual causes: a bracket or quote \
         that is not closed, a tab used for indentation, a `:` followed by a blank inside plain \
         text (quote the text), an alias `*x` without its anchor `&x`, or a tag `!x`, which the \
         language does not use.",
    ),
    code(
        "E0002",
        "too large or too deeply nested",
        "A scenario is read with limits on its size, its depth and the expansion of aliases, so \
         that no file can exhaust the machine. A real scenario is far below them.",
    ),
    code("E0003", "not UTF-8", "A scenario is text in UTF-8. Save the file in that encoding."),
    code(
        "E0101",
        "unknown key",
        "The block does not have this key. A misspelt key would otherwise silently leave the \
         default in force. `simscale explain PATH` lists the keys of a place.",
    ),
    code(
        "E0102",
        "a key stands twice",
        "Each key of a map may stand once; which of two values would count is nobody's guess.",
    ),
    code(
        "E0103",
        "something required is missing",
        "The key has no default that would be right for most systems, so it must be written.",
    ),
    code(
        "E0104",
        "a value of the wrong form",
        "A list stands where a single value should, a map where a name should, or the like.",
    ),
    code(
        "E0105",
        "several variants of a choice",
        "A choice such as `{ zipf: 0.99 }` has exactly one variant. To replace the variant of \
         an extended file just write the new one: a choice is replaced whole.",
    ),
    code("E0106", "unknown variant or kind", "The word is none of those that may stand here."),
    code(
        "E0107",
        "not exactly one verb",
        "Steps, faults and changes are written as one verb with its modifiers beside it: `{ \
         read: db, times: 9 }`. A step with modifiers needs its own braces or its own dash: in \
         a list, `[ read: db, times: 9 ]` is two entries, and the second has no verb.",
    ),
    code(
        "E0108",
        "not a valid name",
        "Names of components, operations, data sets and so on consist of lower-case letters, \
         digits and `_`, and begin with a letter. A hyphen would be a minus in expressions.",
    ),
    code(
        "E0110",
        "not built yet",
        "The language has this, but this version of simscale does not. It is an error, because \
         ignoring it would simulate a different system than the one written.",
    ),
    code(
        "E0112",
        "nothing to remove",
        "In a file that extends another, `null` (or nothing after the colon) removes a key of \
         the file below. Here that file has no such key, so something is misspelt or has moved.",
    ),
    code(
        "E0113",
        "a path that leads nowhere",
        "Paths, as in `--set components.web.instances=4`, follow the keys of the file with \
         dots; items of lists are counted from 1.",
    ),
    code(
        "E0201",
        "a number without its unit",
        "Every value that has a dimension is written with its unit, so that nobody has to know \
         whether a timeout is in seconds or milliseconds. Only counts and pure numbers are \
         bare.",
    ),
    code(
        "E0202",
        "unknown or ambiguous unit",
        "The unit does not exist, belongs to another quantity, or could mean two things: `m` \
         may be minutes or milli, `KB` may be 1000 or 1024 bytes.",
    ),
    code(
        "E0203",
        "out of range",
        "The number is negative, above 100 %, or too large for what it measures.",
    ),
    code(
        "E0204",
        "not a value of this type",
        "The text is not what the key holds: a word where a number should be, two numbers, or \
         something misspelt.",
    ),
    code(
        "E0205",
        "a range that cannot be",
        "A value that is not known exactly may carry a range, `work: 20ms in 10ms..40ms`: the \
         value, and between which figures the true one is likely to lie. Both ends have units, are \
         of the kind of the value, are values that the key takes, and enclose the value. `run \
         --uncertain` samples all such values, the written one being the median, and says what \
         depends on them; everything else uses the value alone. Only quantities have a range, and \
         none under `run`, which says how it is simulated and not what.",
    ),
];

const fn code(id: &'static str, title: &'static str, text: &'static str) -> Code {
    Code { id, title, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_unique() {
        assert!(CODES.windows(2).all(|pair| pair[0].id < pair[1].id));
    }

    #[test]
    fn every_code_in_the_snippets_is_explained() {
        let snippets = include_str!("snippets.txt");
        for part in snippets.split("error[").skip(1) {
            let id = part.split(']').next().unwrap();
            assert!(CODES.iter().any(|code| code.id == id), "{id}");
        }
    }
}
