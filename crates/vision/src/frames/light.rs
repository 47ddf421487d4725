//! Recordings of a high dynamic range (HDR): how it is known, and how they are brought to what networks and screens are made for.

/// How bright a film's white is, in candela per square metre: what ITU-R BT.2408 gives for HDR. It becomes white here too.
const WHITE: u32 = 203;

/// The curve from numbers to light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    /// SMPTE ST 2084, for HDR10 and Dolby Vision.
    Pq,
    /// ARIB STD-B67, which most phones record.
    Hlg,
}

/// How a recording's numbers stand for light, as far as it is of a high dynamic range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Light {
    curve: Curve,
    /// Whether it says which red, green and blue it means.
    primaries: bool,
}

impl Light {
    /// What a line of ffmpeg's `showinfo` says of a frame's colours: none if it says nothing, `Some(None)` if the frame is of the
    /// usual range.
    pub(super) fn told(line: &str) -> Option<Option<Self>> {
        let word = |name: &str| {
            let (_, rest) = line.split_once(name)?;
            rest.split_whitespace().next()
        };
        let curve = match word("color_trc:")? {
            "smpte2084" => Curve::Pq,
            "arib-std-b67" => Curve::Hlg,
            _ => return Some(None),
        };
        let primaries =
            word("color_primaries:").is_some_and(|named| !matches!(named, "unknown" | "reserved"));
        Some(Some(Self { curve, primaries }))
    }

    /// The name that people know.
    pub(super) fn name(self) -> &'static str {
        match self.curve {
            Curve::Pq => "PQ",
            Curve::Hlg => "HLG",
        }
    }

    /// Filters of ffmpeg that give RGB of 8 bits after BT.709. What is as bright as white or darker keeps its brightness to
    /// the eye, nearly; what shines more is bent into what is left.
    pub(super) fn filters(self) -> String {
        let curve = match self.curve {
            Curve::Pq => "smpte2084",
            Curve::Hlg => "arib-std-b67",
        };
        let primaries = if self.primaries { "" } else { "pin=bt2020:" };
        format!(
            "format=yuv444p10le,zscale=tin={curve}:{primaries}min=bt2020nc:rin=tv:t=linear:npl={WHITE},format=gbrpf32le,\
             zscale=p=bt709,tonemap=mobius:desat=0,zscale=t=bt709,format=gbrp,format=rgb24"
        )
    }
}

/// How `scale` has to hand frames to [`Light::filters`].
pub(super) const HANDED: &str = ":out_color_matrix=bt2020:out_range=tv";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_a_recording_is_known_from_what_a_frame_says() {
        let line = |trc: &str, primaries: &str| {
            format!(
                "[Parsed_showinfo_1 @ 0x5] color_range:tv color_space:bt2020nc color_primaries:{primaries} color_trc:{trc}"
            )
        };
        let told = |trc, primaries| Light::told(&line(trc, primaries));
        assert_eq!(told("smpte2084", "bt2020"), Some(Some(Light { curve: Curve::Pq, primaries: true })));
        assert_eq!(
            told("arib-std-b67", "unknown"),
            Some(Some(Light { curve: Curve::Hlg, primaries: false }))
        );
        assert_eq!(told("bt709", "bt709"), Some(None));
        assert_eq!(Light::told("[Parsed_showinfo_1 @ 0x5] n: 0 pts: 0 pts_time:0"), None);
    }
}
