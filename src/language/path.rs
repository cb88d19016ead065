//! Paths to places in a scenario: `components.web.handle.view.1.work`, as in `--set` and sweeps.
//!
//! A path is followed through the tree and its shape together, so that a misspelt key is found
//! before anything is decoded, and a short form is lengthened on the way. Items are counted from 1.
//! Knows no key of the language.

use super::diagnostic::Diagnostics;
use super::merge::{container, fresh, merge, nothing_to_remove};
use super::node::{Entry, Node};
use super::shape::{Presence, Shape};
use super::source::{Span, Spanned};
use super::suggest::did_you_mean;

/// The value at a path in a tree as written; defaults are not there.
pub fn get<'n>(root: &'n Spanned<Node>, path: &str) -> Option<&'n Spanned<Node>> {
    if path.is_empty() {
        return Some(root);
    }
    match &root.value {
        Node::Map(entries) => {
            let (length, value) = existing(entries, path)?;
            get(value, path[length..].trim_start_matches('.'))
        }
        Node::Seq(items) => {
            let (first, rest) = path.split_once('.').unwrap_or((path, ""));
            let index: usize = first.parse().ok()?;
            get(items.get(index.checked_sub(1)?)?, rest)
        }
        _ => None,
    }
}

/// The entry whose key begins the path; keys may contain dots, the longest wins.
fn existing<'n>(entries: &'n [Entry], path: &str) -> Option<(usize, &'n Spanned<Node>)> {
    let begins = |key: &str| {
        path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let fitting = entries.iter().filter(|(key, _)| begins(&key.value));
    fitting.max_by_key(|(key, _)| key.value.len()).map(|(key, value)| (key.value.len(), value))
}

/// Lays `value` over the place at `path`; `null` removes it. `None` after an error.
pub fn set(
    root: Spanned<Node>,
    shape: Shape,
    path: &Spanned<String>,
    value: Spanned<Node>,
    out: &mut Diagnostics,
) -> Option<Spanned<Node>> {
    let mut setter = Setter { path, value, out };
    setter.at(root, shape, 0)
}

struct Setter<'a> {
    path: &'a Spanned<String>,
    value: Spanned<Node>,
    out: &'a mut Diagnostics,
}

impl Setter<'_> {
    /// Sets below `node`, which lies at the first `done` bytes of the path.
    fn at(&mut self, node: Spanned<Node>, shape: Shape, done: usize) -> Option<Spanned<Node>> {
        if done == self.path.value.len() {
            return Some(merge(node, self.value.clone(), shape, self.out));
        }
        match shape.required() {
            Shape::Scalar(scalar) => {
                let message =
                    format!("`{}` is {} and has no parts", self.done(done), scalar.a_name);
                self.out.error("E0113", self.span(done, self.next(done)), message);
                None
            }
            Shape::List(of) => self.item(node, of(), done),
            Shape::Choice(_) => self.variant(node, shape, done),
            Shape::OneOf(one_of) => {
                let numeric = self.path.value[done..].starts_with(|c: char| c.is_ascii_digit());
                let fits = |form: &Shape| match form.required() {
                    Shape::Scalar(_) => false,
                    Shape::List(_) => numeric,
                    _ => !numeric,
                };
                let form = one_of.forms.iter().map(|form| form()).find(fits);
                self.at(node, form.unwrap_or_else(|| one_of.forms[0]()), done)
            }
            _ => self.key(node, shape, done),
        }
    }

    /// Sets in a map or block.
    fn key(&mut self, node: Spanned<Node>, shape: Shape, done: usize) -> Option<Spanned<Node>> {
        let none = node.value.is_none();
        let node = if none { Spanned::new(Node::Map(Vec::new()), node.span) } else { node };
        let Some((mut entries, keys)) = container(&node, shape) else {
            // What stands there is wrong in itself; the decoder says so.
            return Some(node);
        };
        let end = match existing(&entries, &self.path.value[done..]) {
            Some((length, _)) => done + length,
            None => self.next(done),
        };
        // Keys of the author's own beside fixed ones may contain dots, and have no parts.
        let fixed = keys.names().contains(&&self.path.value[done..end]);
        let end = if keys.others().is_some() && !fixed { self.path.value.len() } else { end };
        let key = Spanned::new(self.path.value[done..end].to_string(), self.span(done, end));
        let tag = match shape.required() {
            Shape::Kinded(kinded) => Some(kinded.tag),
            _ => None,
        };
        let below = match keys.shape(&key.value) {
            Some(shape) => shape,
            None if tag == Some(key.value.as_str()) => <String as super::Decode>::shape(),
            None => {
                let message = format!("unknown key `{}` in this path", key.value);
                let help = did_you_mean(&key.value, "key", &keys.names());
                self.out.error("E0113", key.span, message).help(help);
                return None;
            }
        };
        let place = entries.iter().position(|(name, _)| name.value == key.value);
        let next = self.skip_dot(end);
        let is_last = next == self.path.value.len();
        match place {
            Some(place) if is_last && self.value.value == Node::Null => {
                entries.remove(place);
            }
            None if is_last && self.value.value == Node::Null => {
                let names: Vec<&str> = entries.iter().map(|(k, _)| k.value.as_str()).collect();
                nothing_to_remove(&key, &names, self.out);
                return None;
            }
            Some(place) => {
                let old = entries[place].1.clone();
                entries[place].1 = self.at(old, below, next)?;
            }
            None if is_last => {
                let value = fresh(self.value.clone(), below, self.out);
                entries.push((key, value));
            }
            None if self.must_be_there(shape, below) => {
                let names: Vec<&str> = entries.iter().map(|(k, _)| k.value.as_str()).collect();
                self.no_such_name(&key, done, &names);
                return None;
            }
            None => {
                let empty = Spanned::new(Node::Null, key.span);
                let value = self.at(empty, below, next)?;
                entries.push((key, value));
            }
        }
        Some(Spanned::new(Node::Map(entries), node.span))
    }

    /// Whether a path cannot begin an entry `of` the names in `map` by going on below its name:
    /// the author names it, and it is nothing without keys that this path does not set.
    fn must_be_there(&self, map: Shape, of: Shape) -> bool {
        let named = matches!(map.required(), Shape::Map { key: "NAME", .. });
        named
            && match of.required() {
                Shape::Block(block) => {
                    let fields = block.all_fields();
                    fields.iter().any(|field| matches!(field.presence, Presence::Required))
                }
                _ => true,
            }
    }

    /// Reports a path through a name that the author has not given to anything.
    fn no_such_name(&mut self, key: &Spanned<String>, done: usize, names: &[&str]) {
        let map = self.done(done);
        let message = match map.is_empty() {
            true => format!("there is no `{}`", key.value),
            false => format!("there is no `{}` in `{map}`", key.value),
        };
        let begin =
            format!("to add it, give all of it: `{}={{ … }}`", self.done(done + key.value.len()));
        self.out
            .error("E0113", key.span, message)
            .help(did_you_mean(&key.value, "name", names))
            .help(begin);
    }

    /// Sets in a list; items count from 1.
    fn item(&mut self, node: Spanned<Node>, of: Shape, done: usize) -> Option<Spanned<Node>> {
        let end = self.next(done);
        let (text, span) = (&self.path.value[done..end], self.span(done, end));
        let Node::Seq(mut items) = node.value else {
            let message = format!("`{}` is not written as a list", self.done(done));
            self.out.error("E0113", span, message);
            return None;
        };
        let index = match text.parse::<usize>() {
            Ok(number) if (1..=items.len()).contains(&number) => number - 1,
            Ok(0) => {
                self.out.error("E0113", span, "items of a list are counted from 1");
                return None;
            }
            Ok(_) => {
                let count = items.len();
                let message = format!("`{}` has only {count} item(s)", self.done(done));
                self.out.error("E0113", span, message);
                return None;
            }
            Err(_) => {
                let message = format!("`{text}` is not the number of an item");
                let help = format!("`{}` is a list; its items are 1, 2, …", self.done(done));
                self.out.error("E0113", span, message).help(help);
                return None;
            }
        };
        let next = self.skip_dot(end);
        if next == self.path.value.len() && self.value.value == Node::Null {
            items.remove(index);
        } else {
            let old = items[index].clone();
            items[index] = self.at(old, of, next)?;
        }
        Some(Spanned::new(Node::Seq(items), node.span))
    }

    /// Sets in the parameters of a variant; another variant than the one there replaces it.
    fn variant(&mut self, node: Spanned<Node>, shape: Shape, done: usize) -> Option<Spanned<Node>> {
        let Shape::Choice(choice) = shape.required() else { unreachable!("called for choices") };
        let end = self.next(done);
        let key = Spanned::new(self.path.value[done..end].to_string(), self.span(done, end));
        let Some(payload) = choice.variant(&key.value).and_then(|variant| variant.payload) else {
            let with: Vec<&str> = choice.variants.iter().map(|v| v.name).collect();
            let message = format!("unknown variant `{}` in this path", key.value);
            let help = did_you_mean(&key.value, "variant", &with);
            self.out.error("E0113", key.span, message).help(help);
            return None;
        };
        let old = node.value.get(&key.value).cloned();
        let old = old.unwrap_or_else(|| Spanned::new(Node::Null, key.span));
        let value = self.at(old, payload(), self.skip_dot(end))?;
        Some(Spanned::new(Node::Map(vec![(key, value)]), node.span))
    }

    /// The end of the segment that begins at `start`.
    fn next(&self, start: usize) -> usize {
        self.path.value[start..].find('.').map_or(self.path.value.len(), |length| start + length)
    }

    fn skip_dot(&self, end: usize) -> usize {
        (end + 1).min(self.path.value.len())
    }

    /// The path so far, without its last dot.
    fn done(&self, done: usize) -> &str {
        self.path.value[..done].trim_end_matches('.')
    }

    /// The place of a part of the path.
    fn span(&self, start: usize, end: usize) -> Span {
        let offset = self.path.span.start as usize;
        Span::new(self.path.span.file, offset + start, offset + end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::sample::Document;
    use crate::language::{Decode, FileId, node, print::print};

    const BASE: &str = "\
entry: web
components:
  web:
    kind: service
    queue: 5
    handle:
      view:
        - work: 20ms
        - { read: db, times: 9 }
  db: { kind: cache, capacity: 5, popularity: { zipf: 0.9 } }
";

    fn set_text(path: &str, value: &str) -> Result<Spanned<Node>, String> {
        let mut out = Diagnostics::new();
        let root = node::parse(FileId(0), BASE, &mut out).unwrap();
        let value = node::parse(FileId(1), value, &mut out).unwrap();
        let path = Spanned::new(path.to_string(), Span::new(FileId(1), 0, path.len()));
        let result = set(root, Document::shape(), &path, value, &mut out);
        match out.sorted().first() {
            Some(error) => {
                let at = &path.value[error.span.start as usize..error.span.end as usize];
                Err(format!("{at}: {}", error.message))
            }
            None => Ok(result.expect("a result or an error")),
        }
    }

    fn after(path: &str, value: &str, look: &str) -> String {
        let root = set_text(path, value).unwrap_or_else(|error| panic!("{error}"));
        get(&root, look).map_or("absent".into(), |node| print(node).trim().replace('\n', "; "))
    }

    #[test]
    fn values_are_set_where_the_path_leads() {
        let web = "components.web";
        assert_eq!(after("entry", "db", "entry"), "db");
        assert_eq!(after("components.web.workers", "7", "components.web.workers"), "7");
        assert_eq!(
            after("components.web.queue.timeout", "1s", "components.web.queue"),
            "limit: 5; timeout: 1s"
        );
        assert_eq!(after("components.web.queue", "9", "components.web.queue"), "9");
        assert_eq!(
            after("components.web.handle.view.2.times", "3", &format!("{web}.handle.view.2")),
            "read: db; times: 3"
        );
        assert_eq!(
            after("components.web.handle.view.1", "null", &format!("{web}.handle.view.2")),
            "absent"
        );
        assert_eq!(
            after("components.db.popularity.zipf", "0.5", "components.db.popularity"),
            "zipf: 0.5"
        );
        assert_eq!(
            after("components.db.popularity.hot.share", "50%", "components.db.popularity"),
            "hot:;   share: 50%"
        );
        assert_eq!(
            after("components.db.popularity", "uniform", "components.db.popularity"),
            "uniform"
        );
        assert_eq!(after("faults.f", "{ crash: web }", "faults.f"), "crash: web");
        assert_eq!(after("components.db", "null", "components.db"), "absent");
        assert_eq!(after("components.web.in", "[us]", "components.web.in.1"), "us");
    }

    #[test]
    fn wrong_paths_are_explained_at_their_segment() {
        let error = |path: &str, value: &str| set_text(path, value).unwrap_err();
        assert_eq!(
            error("components.web.worker", "7"),
            "worker: unknown key `worker` in this path"
        );
        assert_eq!(
            error("components.web.workers.max", "7"),
            "max: `components.web.workers` is a count and has no parts"
        );
        assert_eq!(
            error("components.web.handle.view.3", "7"),
            "3: `components.web.handle.view` has only 2 item(s)"
        );
        assert_eq!(
            error("components.web.handle.view.0", "7"),
            "0: items of a list are counted from 1"
        );
        assert_eq!(
            error("components.web.handle.view.x", "7"),
            "x: `x` is not the number of an item"
        );
        assert_eq!(
            error("components.db.popularity.zip", "7"),
            "zip: unknown variant `zip` in this path"
        );
        assert_eq!(error("components.wev.workers", "7"), "wev: there is no `wev` in `components`");
        assert_eq!(error("faults.f.crash", "web"), "f: there is no `f` in `faults`");
        assert_eq!(error("components.cache", "null"), "cache: there is no `cache` to remove");
    }

    #[test]
    fn keys_may_contain_dots() {
        let node = node::parse(
            FileId(0),
            "prices: { m5.xlarge: 5, m5: { x: 1 } }",
            &mut Diagnostics::new(),
        );
        let node = node.unwrap();
        assert_eq!(get(&node, "prices.m5.xlarge").unwrap().value, Node::text("5"));
        assert_eq!(get(&node, "prices.m5.x").unwrap().value, Node::text("1"));
        assert!(get(&node, "prices.m5x").is_none());
    }
}
