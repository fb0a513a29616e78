//! Rewrites a source file so that each of its mutants stands beside the original code, behind a switch that is read at run
//! time: `a + b` becomes `(match crate::mutant::pick(7) { 0 => ((a) - (b)), 1 => ((a) * (b)), _ => a + b})`.

use std::collections::HashSet;
use std::ops::Range;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Arm, Attribute, BinOp, Block, Expr, GenericArgument, Pat, PathArguments, ReturnType, Signature,
    Type, UnOp,
};

/// Conditions of code that the tests do not compile, or that is a test itself.
const NOT_COMPILED: [&str; 7] = [
    "test",
    "windows",
    "not (unix)",
    "not (feature",
    "\"cloud\"",
    "\"dawproject\"",
    "\"device\"",
];

pub struct Mutant {
    pub number: u32,
    /// The number of the first mutant of the same expression, which is what a trace records.
    pub site: u32,
    pub file: String,
    pub line: usize,
    /// `src/a.rs:3:5: replace + with - in mean`.
    pub name: String,
}

/// A rewritten file, and what stands at each range of its bytes.
pub struct Woven {
    pub text: String,
    pub mutants: Vec<Mutant>,
    /// The changed code of one mutant.
    pub arms: Vec<(Range<usize>, u32)>,
    /// An expression together with all its mutants.
    pub sites: Vec<(Range<usize>, Range<u32>)>,
    /// Modules in files of their own that the tests do not compile.
    pub not_compiled: Vec<String>,
    /// The number after the last mutant.
    pub next: u32,
}

/// Weaves all mutants into a file, but for those whose names are in `dropped`. Numbers begin at `first`, and do not depend on
/// what is dropped.
pub fn weave(
    file: &str,
    source: &str,
    first: u32,
    dropped: &HashSet<String>,
) -> syn::Result<Woven> {
    let mut weaver = Weaver {
        source,
        file,
        dropped,
        next: first,
        function: String::new(),
        mutants: Vec::new(),
        insertions: Vec::new(),
        not_compiled: Vec::new(),
    };
    weaver.visit_file(&syn::parse_file(source)?);
    let Weaver {
        mutants,
        mut insertions,
        not_compiled,
        next,
        ..
    } = weaver;
    // Stable, so that of two insertions at one place the outer opens first and the inner closes first.
    insertions.sort_by_key(|insertion| insertion.at);
    let (mut text, mut arms, mut sites) = (String::new(), Vec::new(), Vec::new());
    let mut open: Vec<(usize, Range<u32>)> = Vec::new();
    let mut copied = 0;
    for Insertion {
        at,
        text: inserted,
        arms: inside,
        opens,
        closes,
    } in insertions
    {
        text.push_str(&source[copied..at]);
        copied = at;
        let start = text.len();
        text.push_str(&inserted);
        arms.extend(
            inside
                .into_iter()
                .map(|(range, number)| (start + range.start..start + range.end, number)),
        );
        if let Some(numbers) = opens {
            open.push((start, numbers));
        }
        if closes && let Some((start, numbers)) = open.pop() {
            sites.push((start..text.len(), numbers));
        }
    }
    text.push_str(&source[copied..]);
    Ok(Woven {
        text,
        mutants,
        arms,
        sites,
        not_compiled,
        next,
    })
}

struct Insertion {
    at: usize,
    text: String,
    arms: Vec<(Range<usize>, u32)>,
    opens: Option<Range<u32>>,
    closes: bool,
}

/// A mutant: what it changes, in words, and its code.
type Change = (String, String);

struct Weaver<'a> {
    source: &'a str,
    file: &'a str,
    dropped: &'a HashSet<String>,
    next: u32,
    function: String,
    mutants: Vec<Mutant>,
    insertions: Vec<Insertion>,
    not_compiled: Vec<String>,
}

impl Weaver<'_> {
    fn text(&self, of: &impl Spanned) -> &str {
        &self.source[of.span().byte_range()]
    }

    /// Numbers the changes of one place, and returns their arms if any is left.
    fn arms(
        &mut self,
        place: Span,
        changes: Vec<Change>,
        before: &str,
        after: &str,
    ) -> Option<Insertion> {
        let (site, start) = (self.next, place.start());
        let mut text = format!("{before}match crate::mutant::pick({site}) {{ ");
        let mut arms = Vec::new();
        for (number, (change, code)) in (site..).zip(changes) {
            self.next = number + 1;
            let function = &self.function;
            let name = format!(
                "{}:{}:{}: {change} in {function}",
                self.file,
                start.line,
                start.column + 1
            );
            if self.dropped.contains(&name) {
                continue;
            }
            let begin = text.len();
            text += &format!("{} => {code}, ", number - site);
            arms.push((begin..text.len(), number));
            let file = self.file.to_owned();
            self.mutants.push(Mutant {
                number,
                site,
                file,
                line: start.line,
                name,
            });
        }
        text += &format!("_ => {after}");
        let (at, opens) = (place.byte_range().start, Some(site..self.next));
        (!arms.is_empty()).then_some(Insertion {
            at,
            text,
            arms,
            opens,
            closes: false,
        })
    }

    /// Puts the changes beside an expression, whose parts `inside` visits.
    fn wrap(
        &mut self,
        whole: &Expr,
        place: Span,
        changes: Vec<Change>,
        inside: impl FnOnce(&mut Self),
    ) {
        let range = whole.span().byte_range();
        let opened = self
            .arms(place, changes, "(", "")
            .map(|insertion| Insertion {
                at: range.start,
                ..insertion
            });
        let wrapped = opened.is_some();
        self.insertions.extend(opened);
        inside(self);
        if wrapped {
            self.insertions.push(Insertion {
                at: range.end,
                text: "})".into(),
                arms: Vec::new(),
                opens: None,
                closes: true,
            });
        }
    }

    fn function(&mut self, attributes: &[Attribute], signature: &Signature, body: &Block) {
        // A constant function cannot read the switch.
        if signature.constness.is_some() || is_not_compiled(attributes) {
            return;
        }
        let outer = std::mem::replace(&mut self.function, signature.ident.to_string());
        let mut values = match &signature.output {
            ReturnType::Default => vec![String::new()],
            ReturnType::Type(_, result) => values_of(result),
        };
        let inner = body
            .stmts
            .iter()
            .map(|statement| self.text(statement))
            .collect::<Vec<_>>()
            .join(" ");
        // What the function does already is no change.
        let inner = inner.replace("Self::default()", "Default::default()");
        values.retain(|value| *value != inner);
        let changes = values.into_iter().map(|value| {
            (
                format!("replace the body with {value:?}"),
                format!("return {value}"),
            )
        });
        if !body.stmts.is_empty()
            && let Some(mut arms) = self.arms(body.span(), changes.collect(), "", "{} }; ")
        {
            (arms.at, arms.closes) = (arms.at + 1, true);
            self.insertions.push(arms);
        }
        self.visit_block(body);
        self.function = outer;
    }
}

impl<'ast> Visit<'ast> for Weaver<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.attrs, &item.sig, body);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_not_compiled(&item.attrs) {
            visit::visit_item_mod(self, item);
        } else if item.content.is_none() {
            self.not_compiled.push(item.ident.to_string());
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let of = item
            .trait_
            .as_ref()
            .and_then(|(_, path, _)| path.segments.last());
        // Texts for people are stated whole where they matter.
        let text = of.is_some_and(|last| {
            ["Debug", "Display", "Error"]
                .iter()
                .any(|name| last.ident == name)
        });
        if !text && !is_not_compiled(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        match expr {
            Expr::Binary(binary) if !has_let(expr) => {
                let (left, right) = (self.text(&binary.left), self.text(&binary.right));
                let from = self.text(&binary.op);
                let changes = replacements(&binary.op).iter().map(|to| {
                    (
                        format!("replace {from} with {to}"),
                        format!("(({left}) {to} ({right}))"),
                    )
                });
                self.wrap(expr, binary.op.span(), changes.collect(), |weaver| {
                    visit::visit_expr(weaver, expr)
                });
            }
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_) | UnOp::Neg(_)) => {
                let change = (
                    format!("delete {}", self.text(&unary.op)),
                    format!("({})", self.text(&unary.expr)),
                );
                self.wrap(expr, expr.span(), vec![change], |weaver| {
                    visit::visit_expr(weaver, expr)
                });
            }
            Expr::Match(chosen) => {
                self.visit_expr(&chosen.expr);
                let catches_all = chosen.arms.last().is_some_and(catches_all);
                for (index, arm) in chosen.arms.iter().enumerate() {
                    if is_not_compiled(&arm.attrs) {
                        continue;
                    }
                    if let Some((_, guard)) = &arm.guard {
                        let change =
                            |to: &str| (format!("replace the guard with {to}"), to.to_owned());
                        self.wrap(
                            guard,
                            guard.span(),
                            vec![change("true"), change("false")],
                            |weaver| weaver.visit_expr(guard),
                        );
                    } else if catches_all && index + 1 < chosen.arms.len() {
                        let pattern = self
                            .text(&arm.pat)
                            .split_whitespace()
                            .collect::<Vec<_>>()
                            .join(" ");
                        let change = (format!("delete the arm {pattern}"), "false".to_owned());
                        if let Some(mut arms) =
                            self.arms(arm.pat.span(), vec![change], " if ", "true }")
                        {
                            (arms.at, arms.closes) = (arm.pat.span().byte_range().end, true);
                            self.insertions.push(arms);
                        }
                    }
                    self.visit_expr(&arm.body);
                }
            }
            // The length of an array is constant.
            Expr::Repeat(repeat) => self.visit_expr(&repeat.expr),
            _ => visit::visit_expr(self, expr),
        }
    }

    // Constants cannot read the switch; patterns, types and attributes hold no code that runs.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_item_enum(&mut self, _: &'ast syn::ItemEnum) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_generics(&mut self, _: &'ast syn::Generics) {}
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_generic_argument(&mut self, _: &'ast GenericArgument) {}
    fn visit_pat(&mut self, _: &'ast Pat) {}
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

fn is_not_compiled(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("test"))
        .any(|attribute| {
            let condition = attribute
                .meta
                .require_list()
                .map(|list| list.tokens.to_string());
            condition.map_or(true, |condition| {
                NOT_COMPILED.iter().any(|name| condition.contains(name))
            })
        })
}

/// Reports whether an arm takes what the others leave. One with attributes may not be compiled.
fn catches_all(arm: &Arm) -> bool {
    let any = match &arm.pat {
        Pat::Wild(_) => true,
        // `None` is parsed as a name, too.
        Pat::Ident(name) => {
            name.ident.to_string().starts_with(char::is_lowercase) && name.subpat.is_none()
        }
        _ => false,
    };
    any && arm.guard.is_none() && arm.attrs.is_empty()
}

/// Returns whether an expression is a chain with a `let`, which no other expression can hold.
fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => {
            has_let(&binary.left) || has_let(&binary.right)
        }
        _ => false,
    }
}

fn replacements(operator: &BinOp) -> &'static [&'static str] {
    match operator {
        BinOp::Add(_) => &["-", "*"],
        BinOp::Sub(_) => &["+", "/"],
        BinOp::Mul(_) => &["+", "/"],
        BinOp::Div(_) => &["%", "*"],
        BinOp::Rem(_) => &["/", "+"],
        BinOp::And(_) => &["||"],
        BinOp::Or(_) => &["&&"],
        BinOp::BitXor(_) => &["|", "&"],
        BinOp::BitAnd(_) => &["|", "^"],
        BinOp::BitOr(_) => &["&", "^"],
        BinOp::Shl(_) => &[">>"],
        BinOp::Shr(_) => &["<<"],
        BinOp::Eq(_) => &["!="],
        BinOp::Ne(_) => &["=="],
        BinOp::Lt(_) => &["==", ">", "<="],
        BinOp::Gt(_) => &["==", "<", ">="],
        BinOp::Le(_) => &[">", "<"],
        BinOp::Ge(_) => &["<", ">"],
        BinOp::AddAssign(_) => &["-=", "*="],
        BinOp::SubAssign(_) => &["+=", "/="],
        BinOp::MulAssign(_) => &["+=", "/="],
        BinOp::DivAssign(_) => &["%=", "*="],
        BinOp::RemAssign(_) => &["/=", "+="],
        BinOp::BitXorAssign(_) => &["|=", "&="],
        BinOp::BitAndAssign(_) => &["|=", "^="],
        BinOp::BitOrAssign(_) => &["&=", "^="],
        BinOp::ShlAssign(_) => &[">>="],
        BinOp::ShrAssign(_) => &["<<="],
        _ => &[],
    }
}

/// Returns values that a function of this result may return in place of its own. Those that do not fit the type are dropped
/// when the compiler refuses them.
fn values_of(result: &Type) -> Vec<String> {
    let list = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
    let last = match result {
        Type::Path(path) => path.path.segments.last(),
        Type::Reference(reference) if matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str")) =>
        {
            return list(&["\"\"", "\"xyzzy\""]);
        }
        Type::Tuple(tuple) if tuple.elems.is_empty() => return list(&["()"]),
        Type::Never(_) | Type::Reference(_) | Type::ImplTrait(_) => return Vec::new(),
        _ => None,
    };
    let Some(last) = last else {
        return list(&["Default::default()"]);
    };
    let argument = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(inner) => Some(values_of(inner)),
                _ => None,
            })
        }
        _ => None,
    };
    let wrapped = |constructor: &str| {
        argument
            .iter()
            .flatten()
            .map(|value| format!("{constructor}({value})"))
            .collect::<Vec<_>>()
    };
    match last.ident.to_string().as_str() {
        "bool" => list(&["true", "false"]),
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => list(&["0", "1"]),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => list(&["0", "1", "-1"]),
        "f32" | "f64" => list(&["0.0", "1.0", "-1.0"]),
        "String" => list(&["String::new()", "\"xyzzy\".into()"]),
        "Vec" => list(&["vec![]"]),
        "Option" => [list(&["None"]), wrapped("Some")].concat(),
        "Result" if argument.is_none() => list(&["Ok(Default::default())", "Ok(())"]),
        "Result" => wrapped("Ok"),
        _ => list(&["Default::default()"]),
    }
}
