//! Numbers in few bytes: varints, and columns packed to the bits that they need.

/// What can't be read back. Where it comes from authenticated bytes, it is a fault of the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// Appends a number, seven bits a byte.
pub(crate) fn put_varint(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    to.push(number.to_le_bytes()[0]);
}

/// Appends a number that may be negative.
pub(crate) fn put_signed(to: &mut Vec<u8>, number: i64) {
    put_varint(to, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Appends bytes behind their number.
pub(crate) fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

/// Reads what the functions above wrote.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn varint(&mut self) -> Result<u64, Broken> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Broken)
    }

    pub(crate) fn size(&mut self) -> Result<usize, Broken> {
        usize::try_from(self.varint()?).map_err(|_| Broken)
    }

    pub(crate) fn signed(&mut self) -> Result<i64, Broken> {
        let number = self.varint()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Broken> {
        let (first, rest) = self.0.split_first().ok_or(Broken)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Broken)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Broken)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Broken> {
        let length = self.size()?;
        self.take(length)
    }

    /// A column that [`put_column`] wrote.
    pub(crate) fn column(&mut self, rows: usize) -> Result<Column<'a>, Broken> {
        let least = self.signed()?;
        let width = u32::from(self.byte()?);
        if width > 64 {
            return Err(Broken);
        }
        let bytes = self.take(packed_len(rows, width))?;
        Ok(Column { least, width, bytes })
    }
}

/// Bytes of so many numbers of so many bits.
pub(crate) fn packed_len(rows: usize, width: u32) -> usize {
    (rows * width as usize).div_ceil(8)
}

/// Bits that a number needs.
pub(crate) fn width_of(most: u64) -> u32 {
    64 - most.leading_zeros()
}

/// Appends numbers of `width` bits each.
pub(crate) fn put_packed(to: &mut Vec<u8>, numbers: impl Iterator<Item = u64>, width: u32) {
    let (mut held, mut bits) = (0_u128, 0);
    for number in numbers {
        held |= u128::from(number) << bits;
        bits += width;
        while bits >= 8 {
            to.push(held.to_le_bytes()[0]);
            held >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        to.push(held.to_le_bytes()[0]);
    }
}

/// The number at a place among those that [`put_packed`] wrote.
#[inline]
pub(crate) fn packed(bytes: &[u8], width: u32, at: usize) -> u64 {
    if width == 0 {
        return 0;
    }
    let bit = at * width as usize;
    let (byte, shift) = (bit / 8, bit % 8);
    let mut held = [0_u8; 16];
    let from = bytes.get(byte..bytes.len().min(byte + 9)).unwrap_or_default();
    held.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    let number = u128::from_le_bytes(held) >> shift;
    (number & ((1_u128 << width) - 1)) as u64
}

/// Appends a column: its least number, the bits of the differences to it, those.
pub(crate) fn put_column(to: &mut Vec<u8>, numbers: &[i64]) {
    let least = numbers.iter().copied().min().unwrap_or(0);
    let above = |number: i64| number.wrapping_sub(least).cast_unsigned();
    let width = width_of(numbers.iter().map(|number| above(*number)).max().unwrap_or(0));
    put_signed(to, least);
    to.push(width.to_le_bytes()[0]);
    put_packed(to, numbers.iter().map(|number| above(*number)), width);
}

/// Numbers that are read one by one from where they lie.
#[derive(Clone, Copy)]
pub(crate) struct Column<'a> {
    least: i64,
    width: u32,
    bytes: &'a [u8],
}

impl Column<'_> {
    #[inline]
    pub(crate) fn get(&self, at: usize) -> i64 {
        self.least.wrapping_add(packed(self.bytes, self.width, at).cast_signed())
    }

    /// The same where the writer put numbers of one byte.
    #[inline]
    pub(crate) fn byte(&self, at: usize) -> u8 {
        u8::try_from(self.get(at)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn columns_read_back(numbers in proptest::collection::vec(any::<i64>(), 0..40), shift in 0..63_u32) {
            let numbers: Vec<i64> = numbers.iter().map(|number| number >> shift).collect();
            let mut bytes = Vec::new();
            put_column(&mut bytes, &numbers);
            put_signed(&mut bytes, -7);
            let mut reader = Reader(&bytes);
            let column = reader.column(numbers.len()).unwrap();
            for (at, number) in numbers.iter().enumerate() {
                prop_assert_eq!(column.get(at), *number);
            }
            prop_assert_eq!(reader.signed(), Ok(-7));
            prop_assert!(reader.byte().is_err());
        }

        #[test]
        fn numbers_read_back(number: u64, signed: i64) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, number);
            put_signed(&mut bytes, signed);
            let mut reader = Reader(&bytes);
            prop_assert_eq!(reader.varint(), Ok(number));
            prop_assert_eq!(reader.signed(), Ok(signed));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let mut reader = Reader(&bytes);
            while reader.column(9).is_ok() && !reader.0.is_empty() {}
            let _ = Reader(&bytes).bytes();
        }
    }
}
