//! The sequences of keys that objects have had, as a tree, and what became of them.

use std::collections::HashMap;

use crate::plan::{Leaf, Plan};

/// The place of a node in the tree.
pub type Node = usize;

/// Of one object. Objects with more are left to Python, so that they do not fill the memory.
const MOST_KEYS: usize = 64;
const MOST_KEY_BYTES: usize = 4096;
/// Of the tree and what it holds, about. It begins anew when it has more.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The tree. Each node stands for what an object's text holds up to there of keys and of braces inside it.
pub struct Shapes {
    nodes: Vec<Place>,
    bytes: usize,
}

/// What the text of an object goes on with.
enum Step {
    Key(Box<str>),
    Opening,
    Closing,
}

/// What an object that ends at a node becomes.
#[derive(Default)]
pub enum Found {
    #[default]
    Unknown,
    NotPlain,
    Plain(Plan),
}

#[derive(Default)]
struct Place {
    parent: Option<(Node, Step)>,
    keys: usize,
    key_bytes: usize,
    /// The key that was added last, which is nearly always the only one.
    usual: Option<(Box<str>, Node)>,
    /// The same as most programs write it, with quotes and colon. Empty if they escape something in it.
    usual_text: Box<str>,
    others: HashMap<Box<str>, Node>,
    opening: Option<Node>,
    closing: Option<Node>,
    found: Found,
}

impl Shapes {
    pub const ROOT: Node = 0;

    pub fn new() -> Self {
        Self { nodes: vec![Place::default()], bytes: 0 }
    }

    /// Forget everything if that has become too much; call it between objects.
    pub fn tidy(&mut self) {
        if self.bytes > MOST_BYTES {
            *self = Self::new();
        }
    }

    /// The node behind a key; none if there are too many.
    pub fn key(&mut self, node: Node, key: &str) -> Option<Node> {
        match &self.nodes[node].usual {
            Some((usual, next)) if **usual == *key => return Some(*next),
            Some(_) => {}
            None => return self.add_key(node, key),
        }
        match self.nodes[node].others.get(key) {
            Some(next) => Some(*next),
            None => self.add_key(node, key),
        }
    }

    /// The node behind the key that a text begins with, and where its value begins, if it is the usual key.
    pub fn usual(&self, node: Node, text: &str) -> Option<(Node, usize)> {
        let Place { usual, usual_text, .. } = &self.nodes[node];
        let (_, next) = usual.as_ref()?;
        (!usual_text.is_empty() && text.as_bytes().starts_with(usual_text.as_bytes()))
            .then_some((*next, usual_text.len()))
    }

    /// The node behind the brace that opens an object inside.
    pub fn opening(&mut self, node: Node) -> Option<Node> {
        if self.nodes[node].opening.is_none() {
            self.nodes[node].opening = Some(self.add(node, Step::Opening));
        }
        self.nodes[node].opening
    }

    /// The node behind the brace that closes an object inside.
    pub fn closing(&mut self, node: Node) -> Option<Node> {
        if self.nodes[node].closing.is_none() {
            self.nodes[node].closing = Some(self.add(node, Step::Closing));
        }
        self.nodes[node].closing
    }

    /// What an object that ends at this node becomes.
    pub fn found(&mut self, node: Node) -> &mut Found {
        &mut self.nodes[node].found
    }

    /// Remember what an object that ends at this node becomes.
    pub fn remember(&mut self, node: Node, found: Found) {
        if let Found::Plain(plan) = &found {
            self.bytes += plan.name_bytes + plan.leaves.len() * size_of::<Leaf>();
        }
        self.nodes[node].found = found;
    }

    fn add_key(&mut self, node: Node, key: &str) -> Option<Node> {
        let place = &self.nodes[node];
        let (keys, key_bytes) = (place.keys + 1, place.key_bytes + key.len());
        if keys > MOST_KEYS || key_bytes > MOST_KEY_BYTES {
            return None;
        }
        let next = self.add(node, Step::Key(key.into()));
        self.nodes[next].keys = keys;
        self.nodes[next].key_bytes = key_bytes;
        let place = &mut self.nodes[node];
        let is_plain = !key.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        place.usual_text = if is_plain { format!("\"{key}\":").into() } else { "".into() };
        if let Some((key, next)) = place.usual.replace((key.into(), next)) {
            place.others.insert(key, next);
        }
        Some(next)
    }

    fn add(&mut self, node: Node, step: Step) -> Node {
        let Place { keys, key_bytes, .. } = self.nodes[node];
        let own_bytes = if let Step::Key(key) = &step { 3 * key.len() } else { 0 };
        self.bytes += size_of::<Place>() + own_bytes;
        self.nodes.push(Place { parent: Some((node, step)), keys, key_bytes, ..Place::default() });
        self.nodes.len() - 1
    }

    /// The keys of an object that ends at this node, and for each those of the object that it holds, if it holds one.
    pub fn keys(&self, node: Node) -> (Vec<&str>, Vec<Option<Vec<&str>>>) {
        let (mut keys, mut inner) = (Vec::new(), Vec::<Option<Vec<&str>>>::new());
        let mut is_inside = false;
        for step in self.steps(node) {
            match step {
                Step::Key(key) if is_inside => inner.last_mut().and_then(Option::as_mut).map_or((), |of| of.push(key)),
                Step::Key(key) => {
                    keys.push(&**key);
                    inner.push(None);
                }
                Step::Opening => {
                    is_inside = true;
                    if let Some(last) = inner.last_mut() {
                        *last = Some(Vec::new());
                    }
                }
                Step::Closing => is_inside = false,
            }
        }
        (keys, inner)
    }

    fn steps(&self, node: Node) -> Vec<&Step> {
        let mut steps = Vec::new();
        let mut place = &self.nodes[node];
        while let Some((parent, step)) = &place.parent {
            steps.push(step);
            place = &self.nodes[*parent];
        }
        steps.reverse();
        steps
    }
}
