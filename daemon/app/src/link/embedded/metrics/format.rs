//! Which text of figures is asked for. Must not know how either is written.

use axum::http::{HeaderMap, header};

/// The texts that Prometheus reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Version 0.0.4, which every program reads that reads figures.
    Classic,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// OpenMetrics for whoever names it and likes the other no better (RFC 9110, 12.5.1), else the classic one: so do
    /// Prometheus' own libraries, and a program that takes anything is most likely an old one, or a person's.
    pub fn asked(headers: &HeaderMap) -> Self {
        let accept = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
        let ranges: Vec<Range<'_>> =
            accept.flat_map(|accept| accept.split(',')).filter_map(Range::read).collect();
        let weight = |kind: &str, version: &str| {
            let named = ranges.iter().filter(|range| range.kind.eq_ignore_ascii_case(kind));
            let named = named.filter(|range| range.version.is_none_or(|asked| asked == version));
            named.map(|range| range.weight).reduce(f32::max)
        };
        let modern = weight("application/openmetrics-text", "1.0.0").unwrap_or(0.0);
        // The narrowest range that fits decides.
        let classic = weight("text/plain", "0.0.4").or(weight("text/*", "0.0.4")).or(weight("*/*", "0.0.4"));
        if modern > 0.0 && modern >= classic.unwrap_or(0.0) { Self::OpenMetrics } else { Self::Classic }
    }

    /// The media type of it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// One of what is accepted.
struct Range<'a> {
    kind: &'a str,
    version: Option<&'a str>,
    weight: f32,
}

impl<'a> Range<'a> {
    /// Nothing where the weight is none.
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let mut range = Self { kind: parts.next()?, version: None, weight: 1.0 };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            if name.eq_ignore_ascii_case("version") {
                range.version = Some(value.trim_matches('"'));
            } else if name.eq_ignore_ascii_case("q") {
                range.weight = value.parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
            }
        }
        Some(range)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn open_metrics_is_for_whoever_names_it_and_likes_the_classic_text_no_better() {
        for accept in [
            "application/openmetrics-text",
            "Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8",
            "application/openmetrics-text; q=0.5, text/plain; q=0.5",
            "application/openmetrics-text;q=0.2,text/plain;q=0.1,*/*",
            "text/plain;version=1.0.0,application/openmetrics-text;q=0.4",
            // Prometheus 3.5
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        ] {
            assert_eq!(asked(&[accept]), Format::OpenMetrics, "{accept}");
        }
        assert_eq!(asked(&["text/plain;q=0.5", "application/openmetrics-text"]), Format::OpenMetrics);
    }

    #[test]
    fn everybody_else_gets_the_classic_text() {
        for accept in [
            "",
            "*/*",
            "application/*",
            "text/plain;version=0.0.4",
            "application/json",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=0.4,text/plain;version=0.0.4;q=0.5",
            "application/openmetrics-text;q=0.4,text/*;q=0.5,*/*;q=0.1",
            "application/openmetrics-text;q=0.4,*/*;q=0.5",
            "application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text;q=much,*/*;q=0.1",
            "application/openmetrics-text;q=nan",
            "application/openmetrics-text;q=7",
        ] {
            assert_eq!(asked(&[accept]), Format::Classic, "{accept}");
        }
        assert_eq!(asked(&[]), Format::Classic);
    }

    fn asked(accept: &[&str]) -> Format {
        let accept = accept.iter().map(|accept| (header::ACCEPT, HeaderValue::from_str(accept).unwrap()));
        let mut headers = HeaderMap::new();
        for (name, value) in accept {
            headers.append(name, value);
        }
        Format::asked(&headers)
    }
}
