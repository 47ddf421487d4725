//! A read as the store holds it: cameras and regions are numbers of the store.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use canvass_plates::{
    Brand, Colour, Confidence, Direction, PlateText, Read, ReadId, Region, Short, VehicleType,
};
use canvass_types::{CameraId, Time};
use data_encoding::BASE32_NOPAD;
use rustc_hash::FxHashMap;

use crate::{
    pack::{Broken, Reader, put_bytes, put_signed},
    segment::Sorted,
};

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub plate: PlateText,
    pub id: ReadId,
    pub camera: u32,
    pub region: u32,
    pub seen: i64,
    pub received: i64,
    pub confidence: u8,
    pub vehicle: u8,
    pub colour: u8,
    pub brand: u8,
    pub direction: u8,
    pub hit: bool,
    pub safelisted: bool,
    pub extras: Option<Box<[u8]>>,
}

/// Cameras and regions by number. They only grow; there are as many as there are cameras.
#[derive(Default)]
pub(crate) struct Names {
    inner: RwLock<Inner>,
}

#[derive(Default)]
pub(crate) struct Inner {
    cameras: FxHashMap<CameraId, u32>,
    camera_list: Vec<CameraId>,
    camera_bytes: Vec<[u8; 16]>,
    regions: FxHashMap<Region, u32>,
    region_list: Vec<Region>,
}

impl Names {
    /// The number of a camera.
    pub(crate) fn camera(&self, camera: &CameraId) -> u32 {
        if let Some(number) = self.known_camera(camera) {
            return number;
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = inner.cameras.get(camera) {
            return *number;
        }
        let number = u32::try_from(inner.camera_list.len()).unwrap_or(u32::MAX);
        inner.camera_list.push(camera.clone());
        inner.camera_bytes.push(camera_bytes(camera));
        inner.cameras.insert(camera.clone(), number);
        number
    }

    /// The number of a camera that has one.
    pub(crate) fn known_camera(&self, camera: &CameraId) -> Option<u32> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).cameras.get(camera).copied()
    }

    pub(crate) fn camera_of(&self, number: u32) -> Option<CameraId> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).camera_list.get(number as usize).cloned()
    }

    /// All of them at once, for a batch.
    pub(crate) fn table(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a region; 0 is for none.
    pub(crate) fn region(&self, region: Option<Region>) -> u32 {
        let Some(region) = region else { return 0 };
        if let Some(number) = self.inner.read().unwrap_or_else(PoisonError::into_inner).regions.get(&region) {
            return *number;
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = inner.regions.get(&region) {
            return *number;
        }
        inner.region_list.push(region);
        let number = u32::try_from(inner.region_list.len()).unwrap_or(u32::MAX);
        inner.regions.insert(region, number);
        number
    }

    pub(crate) fn region_of(&self, number: u32) -> Option<Region> {
        self.table().region_of(number)
    }
}

impl Inner {
    /// The bits of a camera's id, as logs and segments hold them.
    pub(crate) fn camera_bytes(&self, camera: u32) -> [u8; 16] {
        self.camera_bytes.get(camera as usize).copied().unwrap_or_default()
    }

    pub(crate) fn region_of(&self, number: u32) -> Option<Region> {
        self.region_list.get((number as usize).checked_sub(1)?).copied()
    }
}

/// The 128 bits of a camera's id.
pub(crate) fn camera_bytes(camera: &CameraId) -> [u8; 16] {
    let mut upper = [0; 26];
    let text = camera.as_str().as_bytes().iter().skip(CameraId::PREFIX.len() + 1);
    upper.iter_mut().zip(text).for_each(|(to, from)| *to = from.to_ascii_uppercase());
    let mut bytes = [0; 16];
    let _ = BASE32_NOPAD.decode_mut(&upper, &mut bytes);
    bytes
}

/// The id of these bits.
pub(crate) fn camera_from(bytes: &[u8; 16]) -> Result<CameraId, Broken> {
    let mut text = BASE32_NOPAD.encode(bytes);
    text.make_ascii_lowercase();
    format!("{}_{text}", CameraId::PREFIX).parse().map_err(|_| Broken)
}

fn extras(read: &Read) -> Option<Box<[u8]>> {
    if read.source.is_none() && read.raw.is_none() && read.picture.is_none() && read.characters.is_empty() {
        return None;
    }
    let mut bytes = Vec::new();
    for text in [&read.source, &read.raw, &read.picture] {
        put_bytes(&mut bytes, text.as_ref().map_or("", Short::as_str).as_bytes());
    }
    bytes.extend(read.characters.iter().map(|each| each.percent()));
    Some(bytes.into())
}

impl Row {
    pub(crate) fn of(read: &Read, names: &Names) -> Self {
        Self {
            plate: read.plate,
            id: read.id,
            camera: names.camera(&read.camera),
            region: names.region(read.region),
            seen: read.seen.as_second(),
            received: read.received.as_second(),
            confidence: read.confidence.percent(),
            vehicle: VehicleType::number(read.vehicle),
            colour: Colour::number(read.colour),
            brand: Brand::number(read.brand),
            direction: Direction::number(read.direction),
            hit: read.hit,
            safelisted: read.safelisted,
            extras: extras(read),
        }
    }

    pub(crate) fn read(&self, names: &Names) -> Result<Read, Broken> {
        let mut read = Read {
            id: self.id,
            camera: names.camera_of(self.camera).ok_or(Broken)?,
            source: None,
            raw: None,
            plate: self.plate,
            region: names.region_of(self.region),
            confidence: Confidence::try_from(self.confidence).map_err(|_| Broken)?,
            characters: Vec::new(),
            vehicle: VehicleType::numbered(self.vehicle),
            colour: Colour::numbered(self.colour),
            brand: Brand::numbered(self.brand),
            direction: Direction::numbered(self.direction),
            seen: Time::from_second(self.seen),
            received: Time::from_second(self.received),
            picture: None,
            hit: self.hit,
            safelisted: self.safelisted,
        };
        if let Some(extras) = &self.extras {
            let mut reader = Reader(extras);
            for text in [&mut read.source, &mut read.raw, &mut read.picture] {
                let bytes = reader.bytes()?;
                if !bytes.is_empty() {
                    let short = std::str::from_utf8(bytes).map_err(|_| Broken)?;
                    *text = Some(short.parse().map_err(|_| Broken)?);
                }
            }
            let percents = reader.0.iter().map(|percent| Confidence::try_from(*percent).map_err(|_| Broken));
            read.characters = percents.collect::<Result<_, _>>()?;
        }
        Ok(read)
    }

    /// Appends the row as it stands in a log.
    pub(crate) fn put(&self, to: &mut Vec<u8>, names: &Inner) {
        put_bytes(to, self.plate.as_bytes());
        to.extend_from_slice(self.id.as_bytes());
        to.extend_from_slice(&names.camera_bytes(self.camera));
        let region = names.region_of(self.region);
        put_bytes(to, region.as_ref().map_or("", Region::as_str).as_bytes());
        put_signed(to, self.seen);
        put_signed(to, self.received.wrapping_sub(self.seen));
        let marks = u8::from(self.hit) | u8::from(self.safelisted) << 2;
        let flags = marks | u8::from(self.extras.is_some()) << 1;
        to.extend([self.confidence, self.vehicle, self.colour, self.brand, self.direction, flags]);
        if let Some(extras) = &self.extras {
            put_bytes(to, extras);
        }
    }

    /// Reads what [`Self::put`] wrote.
    pub(crate) fn take(reader: &mut Reader<'_>, names: &Names) -> Result<Self, Broken> {
        let plate = PlateText::from_bytes(reader.bytes()?).ok_or(Broken)?;
        let id = ReadId::from_bytes(reader.array()?);
        let camera = names.camera(&camera_from(&reader.array()?)?);
        let region = std::str::from_utf8(reader.bytes()?).map_err(|_| Broken)?;
        let region = if region.is_empty() { None } else { Some(region.parse().map_err(|_| Broken)?) };
        let seen = reader.signed()?;
        let received = seen.wrapping_add(reader.signed()?);
        let [confidence, vehicle, colour, brand, direction, flags] = reader.array()?;
        let extras = if flags & 2 != 0 { Some(reader.bytes()?.into()) } else { None };
        Ok(Self {
            plate,
            id,
            camera,
            region: names.region(region),
            seen,
            received,
            confidence,
            vehicle,
            colour,
            brand,
            direction,
            hit: flags & 1 != 0,
            safelisted: flags & 4 != 0,
            extras,
        })
    }

    /// Hit and safelisted as one number, as segments hold them: the first is the lowest bit, where it always stood alone.
    pub(crate) fn marks(&self) -> u8 {
        u8::from(self.hit) | u8::from(self.safelisted) << 1
    }

    /// The order of rows in a segment: by plate, newest first.
    pub(crate) fn order(&self, other: &Self) -> std::cmp::Ordering {
        Sorted::of(&self.plate).cmp(&Sorted::of(&other.plate)).then_with(|| self.newer(other))
    }

    /// The order of rows of one plate.
    pub(crate) fn newer(&self, other: &Self) -> std::cmp::Ordering {
        other.seen.cmp(&self.seen).then_with(|| other.id.cmp(&self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_back() {
        let names = Names::default();
        let camera: CameraId = "cam_abcdefghijklmnopqrstuvwxya".parse().unwrap();
        assert_eq!(camera_from(&camera_bytes(&camera)), Ok(camera.clone()));
        let plate = PlateText::normalise("ABC123").unwrap();
        let mut read = Read::new(camera, "1", plate, Time::from_second(-5), Time::from_second(4_000_000_000));
        let plain = Row::of(&read, &names);
        read.raw = "abc-123".parse().ok();
        read.picture = "p".parse().ok();
        read.characters = vec![Confidence::FULL; 6];
        read.region = "US-CA".parse().ok();
        read.colour = Some(Colour::Red);
        read.brand = Some(Brand::Other);
        read.hit = true;
        read.safelisted = true;
        let rich = Row::of(&read, &names);
        let mut bytes = Vec::new();
        plain.put(&mut bytes, &names.table());
        rich.put(&mut bytes, &names.table());
        let mut reader = Reader(&bytes);
        let other = Names::default();
        assert!(Row::take(&mut reader, &other).unwrap() == plain);
        assert_eq!(Row::take(&mut reader, &other).unwrap().read(&other).unwrap(), read);
        for end in 0..bytes.len() {
            let mut reader = Reader(&bytes[..end]);
            while Row::take(&mut reader, &other).is_ok() {}
        }
    }
}
