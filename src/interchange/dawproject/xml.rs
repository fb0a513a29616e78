//! Reads XML elements with their places, and writes XML.

use super::super::{notes::Place, ratio::Ratio, text_file::TextFile};
use crate::{
    error::{Error, Result},
    report::push_escaped,
};
use roxmltree::{Document, Node, ParsingOptions};

/// Limit of the number of nodes of a document.
const MAX_NODES: u32 = 4_000_000;

/// Parses a document. A DTD is refused, and with it entities.
///
/// # Errors
/// `Session` with the line of what is no XML.
pub(super) fn parse<'t>(file: &'t TextFile, entry: &str) -> Result<Document<'t>> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(&file.text, options).map_err(|e| {
        let place = Place::Element(format!("{entry}, line {}", e.pos().row));
        let what = match e {
            roxmltree::Error::DtdDetected => {
                "has a DTD, which is refused because it may define entities".to_owned()
            }
            _ => format!("is no valid XML: {e}"),
        };
        file.error(&place, what).because(e)
    })
}

/// Returns the place of an element.
pub(super) fn place(node: Node<'_, '_>) -> Place {
    let position = node.document().text_pos_at(node.range().start);
    let name = node.tag_name().name();
    Place::Element(format!("project.xml, line {}, <{name}>", position.row))
}

/// Makes the error of an element.
pub(super) fn wrong(file: &TextFile, node: Node<'_, '_>, what: &str) -> Error {
    file.error(&place(node), what)
}

/// Returns the child elements of a name.
pub(super) fn children<'a, 'i>(
    node: Node<'a, 'i>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |child| child.has_tag_name(name))
}

pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// Returns an attribute that is a time, exactly.
///
/// # Errors
/// `Session` for an attribute that is no number.
pub(super) fn time(file: &TextFile, node: Node<'_, '_>, name: &str) -> Result<Option<Ratio>> {
    let Some(text) = node.attribute(name) else {
        return Ok(None);
    };
    let value = Ratio::parse(text).ok_or_else(|| {
        let what = format!("{name} {text:?} is no number that a time can have");
        wrong(file, node, &what)
    })?;
    Ok(Some(value))
}

/// Returns an attribute that is a number or an infinity.
///
/// # Errors
/// `Session` for an attribute that is no number.
pub(super) fn number(file: &TextFile, node: Node<'_, '_>, name: &str) -> Result<Option<f64>> {
    let Some(text) = node.attribute(name) else {
        return Ok(None);
    };
    let value = text.trim().parse::<f64>().ok().filter(|x| !x.is_nan());
    let value = value.ok_or_else(|| {
        let what = format!("{name} {text:?} is no number");
        wrong(file, node, &what)
    })?;
    Ok(Some(value))
}

/// Writes elements with indentation.
#[derive(Debug)]
pub(super) struct Writer {
    text: String,
    open: Vec<&'static str>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            text: "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n".to_owned(),
            open: Vec::new(),
        }
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.text += &"  ".repeat(self.open.len());
        self.text.push('<');
        self.text += name;
        for (key, value) in attributes {
            self.text += &format!(" {key}=\"{}\"", escaped(value));
        }
    }

    /// Begins an element that [`end`](Self::end) ends.
    pub(super) fn begin(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.text += ">\n";
        self.open.push(name);
    }

    /// Writes an element without content.
    pub(super) fn element(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.text += "/>\n";
    }

    /// Writes an element with text.
    pub(super) fn text(&mut self, name: &str, content: &str) {
        self.start(name, &[]);
        self.text += &format!(">{}</{name}>\n", escaped(content));
    }

    pub(super) fn end(&mut self) {
        if let Some(name) = self.open.pop() {
            self.text += &format!("{}</{name}>\n", "  ".repeat(self.open.len()));
        }
    }

    /// Ends all elements and returns the document.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.text
    }
}

/// Escapes a text for an attribute. Line ends and tabs are written as references, since parsers read them as spaces.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out += &format!("&#{};", u32::from(c)),
            c => push_escaped(&mut out, c),
        }
    }
    out
}
