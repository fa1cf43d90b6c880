//! Dot plots: a line from one figure to another for every entrant, with a dot at the end that
//! counts.
//!
//! plotters writes colours as they are given. It is given markers, and the page's style says what they
//! are, by day and by night.

use std::io;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::{Axis, figure};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Several panels over one axis.
#[derive(Debug)]
pub(super) struct Plot {
    /// What the axis counts, and in which unit.
    pub(super) axis: String,
    /// Whether the axis has to start at zero.
    pub(super) from_zero: bool,
    pub(super) panels: Vec<Panel>,
}

/// The lines of one operation, under its name.
#[derive(Debug)]
pub(super) struct Panel {
    /// Its heading; empty where there is none.
    pub(super) title: String,
    /// The target, and whether it is met.
    pub(super) target: Option<(String, bool)>,
    /// Where the conditions of the target lie.
    pub(super) limits: Vec<f64>,
    pub(super) lines: Vec<Line>,
}

/// One entrant.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) from: f64,
    /// Where the dot is.
    pub(super) to: f64,
}

/// What an entrant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Ours,
    Peer,
    Floor,
}

/// How much room there is, in pixels and in characters.
#[derive(Debug)]
pub(super) struct Room {
    /// The class of the picture: the style shows one of the two.
    pub(super) class: &'static str,
    width: u32,
    names: i32,
    values: i32,
    name: usize,
    title: usize,
    target: usize,
    ticks: usize,
}

/// For wide windows.
pub(super) const WIDE: Room = Room {
    class: "wide",
    width: 880,
    names: 176,
    values: 76,
    name: 26,
    title: 60,
    target: 70,
    ticks: 9,
};

/// For a telephone.
pub(super) const NARROW: Room = Room {
    class: "narrow",
    width: 348,
    names: 122,
    values: 60,
    name: 15,
    title: 36,
    target: 0,
    ticks: 5,
};

const TITLE: i32 = 24;
const LINE: i32 = 17;
const GAP: i32 = 14;
/// Room for the labels of the axis.
const AXIS: i32 = 38;
/// From this height on, the labels are above the lines, too.
const TALL: i32 = 320;
const MARGIN: i32 = 4;
/// plotters writes a text's size divided by 1.24.
const TEXT: f64 = 12.0 * 1.24;

/// A marker for a colour that the style knows.
#[derive(Clone, Copy, Debug)]
enum Ink {
    Text,
    Muted,
    Grid,
    Paper,
    Ours,
    Peer,
    Target,
    Met,
    Missed,
}

impl Ink {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Text, "text"),
        (Self::Muted, "muted"),
        (Self::Grid, "grid"),
        (Self::Paper, "paper"),
        (Self::Ours, "ours"),
        (Self::Peer, "peer"),
        (Self::Target, "target"),
        (Self::Met, "met"),
        (Self::Missed, "missed"),
    ];

    fn colour(self) -> RGBColor {
        RGBColor(0, 0, self as u8)
    }

    /// The picture with the style's variables in place of the markers. Only attributes have bare
    /// quotes: text that looks like a marker stays.
    fn resolve(picture: &str) -> String {
        Self::ALL.iter().fold(picture.to_owned(), |picture, (ink, name)| {
            let RGBColor(red, green, blue) = ink.colour();
            let marker = format!("\"#{red:02X}{green:02X}{blue:02X}\"");
            picture.replace(&marker, &format!("\"var(--{name})\""))
        })
    }
}

impl Plot {
    /// The picture as SVG; none where no figure can be plotted.
    ///
    /// # Errors
    ///
    /// What plotters says.
    pub(super) fn draw(&self, room: &Room) -> io::Result<Option<String>> {
        let Some(axis) = Axis::of(self.panels.iter().flat_map(Panel::values), self.from_zero)
        else {
            return Ok(None);
        };
        let height: i32 = self.panels.iter().map(Panel::height).sum();
        let mut picture = String::new();
        let above = if height < TALL { 0 } else { AXIS };
        let size = (room.width, (MARGIN + above + height + AXIS).unsigned_abs());
        let root = SVGBackend::with_string(&mut picture, size).into_drawing_area();
        self.fill(&root, &axis, above, room).map_err(io::Error::other)?;
        root.present().map_err(io::Error::other)?;
        drop(root);
        // The page says what its pictures are; the address is no request, and needs no argument.
        let picture = picture.replacen(r#" xmlns="http://www.w3.org/2000/svg""#, "", 1);
        Ok(Some(Ink::resolve(&picture)))
    }

    fn fill(
        &self,
        root: &Area<'_>,
        axis: &Axis,
        above: i32,
        room: &Room,
    ) -> Result<(), DrawingAreaErrorKind<io::Error>> {
        let scale = if axis.is_logarithmic() { ", logarithmic" } else { "" };
        let mut chart = ChartBuilder::on(root)
            .margin_top(MARGIN)
            .margin_left(room.names)
            .margin_right(room.values)
            .x_label_area_size(AXIS)
            .top_x_label_area_size(above)
            .build_cartesian_2d(*axis, 0.0..1.0)?;
        chart
            .configure_mesh()
            .disable_y_axis()
            .disable_y_mesh()
            .bold_line_style(Ink::Grid.colour())
            .light_line_style(TRANSPARENT)
            .axis_style(Ink::Grid.colour())
            .x_labels(room.ticks)
            .x_label_style(("sans-serif", TEXT, &Ink::Muted.colour()))
            .axis_desc_style(("sans-serif", TEXT, &Ink::Muted.colour()))
            .x_desc(shortened(&self.axis, room.title) + scale)
            .draw()?;
        let at = |value| axis.has(value).then(|| chart.backend_coord(&(value, 0.0)).0);
        let mut top = MARGIN + above;
        for panel in &self.panels {
            panel.draw(root, top, &at, room)?;
            top += panel.height();
        }
        Ok(())
    }
}

impl Panel {
    fn values(&self) -> impl Iterator<Item = f64> {
        let lines = self.lines.iter().flat_map(|line| [line.from, line.to]);
        lines.chain(self.limits.iter().copied())
    }

    fn head(&self) -> i32 {
        if self.title.is_empty() { LINE / 2 } else { TITLE }
    }

    fn height(&self) -> i32 {
        let lines = i32::try_from(self.lines.len()).unwrap_or(i32::MAX / LINE / 2);
        self.head() + lines * LINE + GAP
    }

    fn draw(
        &self,
        root: &Area<'_>,
        top: i32,
        at: &impl Fn(f64) -> Option<i32>,
        room: &Room,
    ) -> Result<(), DrawingAreaErrorKind<io::Error>> {
        let right = room.width.cast_signed() - 4;
        let bold = FontDesc::from(("sans-serif", TEXT, FontStyle::Bold));
        // The heading stands on the grid's lines: it hides them.
        if !self.title.is_empty() {
            let over = [(room.names - 4, top), (right - room.values + 8, top + TITLE - 2)];
            root.draw(&Rectangle::new(over, Ink::Paper.colour().filled()))?;
            let style = bold.color(&Ink::Text.colour()).pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(shortened(&self.title, room.title), (2, top + 12), style))?;
        }
        if let Some((target, met)) = &self.target {
            let (ink, verdict) = if *met { (Ink::Met, "met") } else { (Ink::Missed, "missed") };
            let shown = shortened(target, room.target);
            let text = if shown.is_empty() {
                format!("target {verdict}")
            } else {
                format!("target {shown}: {verdict}")
            };
            write(root, text, (right, top + 12), HPos::Right, ink)?;
        }
        let lines = top + self.head();
        let bottom = top + self.height() - GAP;
        for x in self.limits.iter().filter_map(|limit| at(*limit)) {
            for y in (lines..bottom).step_by(6) {
                let dash = vec![(x, y), (x, (y + 3).min(bottom))];
                root.draw(&PathElement::new(dash, Ink::Target.colour().stroke_width(1)))?;
            }
        }
        for (line, y) in self.lines.iter().zip((lines + LINE / 2..).step_by(LINE as usize)) {
            line.draw(root, y, at, room)?;
        }
        Ok(())
    }
}

impl Line {
    fn draw(
        &self,
        root: &Area<'_>,
        y: i32,
        at: &impl Fn(f64) -> Option<i32>,
        room: &Room,
    ) -> Result<(), DrawingAreaErrorKind<io::Error>> {
        let (ink, words) = match self.role {
            Role::Ours => (Ink::Ours, Ink::Ours),
            Role::Peer | Role::Floor => (Ink::Peer, Ink::Text),
        };
        let name = shortened(&self.name, room.name);
        write(root, name, (room.names - 10, y), HPos::Right, words)?;
        let value = (room.width.cast_signed() - 4, y);
        write(root, figure(self.to), value, HPos::Right, words)?;
        let Some(to) = at(self.to) else { return Ok(()) };
        if let Some(from) = at(self.from) {
            let line = ink.colour().stroke_width(2);
            root.draw(&PathElement::new(vec![(from, y), (to, y)], line))?;
            root.draw(&PathElement::new(vec![(from, y - 3), (from, y + 3)], line))?;
        }
        root.draw(&Circle::new((to, y), 4, ink.colour().filled()))?;
        if self.role == Role::Floor {
            root.draw(&Circle::new((to, y), 2, Ink::Paper.colour().filled()))?;
        }
        Ok(())
    }
}

fn write(
    root: &Area<'_>,
    text: String,
    at: (i32, i32),
    flush: HPos,
    ink: Ink,
) -> Result<(), DrawingAreaErrorKind<io::Error>> {
    let colour = ink.colour();
    let style = ("sans-serif", TEXT).into_text_style(root).color(&colour);
    root.draw(&Text::new(text, at, style.pos(Pos::new(flush, VPos::Center))))
}

/// At most so many characters; the tables have all of them.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept = text.chars().take(most.saturating_sub(1));
    if most == 0 { String::new() } else { kept.chain(['\u{2026}']).collect() }
}
