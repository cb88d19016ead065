//! Reading Rust without a parser: enough to find uses, modules and functions in well-formed text.
//!
//! It knows literals, comments, words and braces, and nothing of macros or types.

/// The text with comments and the insides of literals blanked: same bytes per line, code only.
pub fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at + text[at..].find('\n').unwrap_or(text.len() - at)
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => end_of_block_comment(bytes, at),
            b'"' => end_of_string(bytes, at),
            b'r' if !is_word(bytes, at) => match raw_string(text, at) {
                Some(end) => end,
                None => at + 1,
            },
            b'\'' => match char_literal(text, at) {
                Some(end) => end,
                None => at + 1,
            },
            _ => at + 1,
        };
        if end > at + 1 {
            for byte in &mut out[at..end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        at = end;
    }
    String::from_utf8(out).expect("blanking whole literals keeps characters whole")
}

/// Whether the byte at `at` continues a word that began before it. A `b` or `c` prefix of a
/// literal does not count.
fn is_word(bytes: &[u8], at: usize) -> bool {
    let letter = |i: usize| bytes[i].is_ascii_alphanumeric() || bytes[i] == b'_';
    let Some(before) = at.checked_sub(1).filter(|&i| letter(i)) else { return false };
    let prefix = matches!(bytes[before], b'b' | b'c');
    !prefix || before.checked_sub(1).is_some_and(letter)
}

fn end_of_block_comment(bytes: &[u8], from: usize) -> usize {
    let (mut depth, mut at) = (0, from);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn raw_string(text: &str, from: usize) -> Option<usize> {
    let rest = &text[from + 1..];
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let body = rest[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close).map_or(body.len(), |i| i + close.len());
    Some(from + 1 + hashes + 1 + end)
}

/// The end of a character literal; `None` for a lifetime.
fn char_literal(text: &str, from: usize) -> Option<usize> {
    let mut chars = text[from + 1..].char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        let (_, escaped) = chars.next()?;
        let start = from + 2 + escaped.len_utf8();
        return text[start..].find('\'').map(|i| start + i + 1);
    }
    let (second, quote) = chars.next()?;
    (quote == '\'').then_some(from + 1 + second + 1)
}

pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1
}

/// Where a word stands by itself in the code.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    let letter = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        !letter(at.checked_sub(1).and_then(|i| bytes.get(i))) && !letter(bytes.get(at + word.len()))
    })
}

/// The identifier at the start of the code, if there is one.
pub fn identifier(code: &str) -> &str {
    let end = code.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(code.len());
    &code[..end]
}

/// The first names of what follows a path prefix: `a` in `a::b`, `a` and `c` in `{a::b, c}`.
pub fn first_names(code: &str) -> Vec<&str> {
    let Some(group) = code.trim_start().strip_prefix('{') else {
        return vec![identifier(code)];
    };
    let (mut depth, mut names, mut fresh) = (1, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            c if fresh && (c.is_alphanumeric() || c == '_') => {
                names.push(identifier(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// How many `mod name { ... }` blocks of the file are open at a place.
pub fn inline_modules(code: &str, place: usize) -> usize {
    words(&code[..place], "mod")
        .filter(|&at| {
            let rest = code[at + 3..].trim_start();
            let body = rest[identifier(rest).len()..].trim_start();
            body.starts_with('{') && code.len() - body.len() + body_length(body) > place
        })
        .count()
}

/// The length of a `{ ... }` block, braces included.
pub fn body_length(code: &str) -> usize {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// Where the function that begins here ends; `None` for a declaration without a body.
pub fn body_of_function(code: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => return Some(at + body_length(&code[at..]) - 1),
            _ => {}
        }
        if depth < 0 {
            // A function type inside somebody's parentheses.
            return None;
        }
    }
    None
}

#[test]
fn code_only_blanks_comments_and_literals() {
    let text = "a /* b /* c */ d */ e // f\n\"g\\\"h\" 'i' '\\'' &'j k r#\"l\"m\"# b\"n\" var\"o\"";
    let code = code_only(text);
    assert_eq!(code.len(), text.len());
    let left: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(left, ["a", "e", "&'j", "k", "b", "var"]);
}
