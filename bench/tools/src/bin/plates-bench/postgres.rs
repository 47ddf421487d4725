//! The same reads and questions for `psql`: a table with a partition for each day, COPY of a batch in a transaction.

use std::io::{BufWriter, Write as _};

use canvass_plates::{Colour, VehicleType, confusables};

use super::{
    BATCH, Failed, WARM,
    generate::{DAYS, Town},
    questions::{KINDS, Question},
};

/// Prints the table, then all rows as COPY blocks.
pub fn rows(rows: u64) -> Result<(), Failed> {
    let town = Town::new(rows);
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "CREATE EXTENSION pg_trgm;")?;
    writeln!(
        out,
        "CREATE TABLE reads (id bytea NOT NULL, plate text NOT NULL, folded text NOT NULL, camera int NOT NULL, \
         seen bigint NOT NULL, received bigint NOT NULL, confidence smallint NOT NULL, vehicle smallint NOT NULL, \
         colour smallint NOT NULL, region text, hit boolean NOT NULL) PARTITION BY RANGE (seen);"
    )?;
    let first = town.first_day().as_second() - 86_400;
    for day in 0..DAYS {
        let (from, until) = (first + day * 86_400, first + (day + 1) * 86_400);
        writeln!(out, "CREATE TABLE reads_{day} PARTITION OF reads FOR VALUES FROM ({from}) TO ({until});")?;
    }
    writeln!(out, "CREATE INDEX ON reads (plate, seen);")?;
    writeln!(out, "CREATE INDEX ON reads (folded, seen);")?;
    writeln!(out, "CREATE UNIQUE INDEX ON reads (id, seen);")?;
    writeln!(out, "CREATE INDEX ON reads USING gin (plate gin_trgm_ops);")?;
    let cameras: std::collections::BTreeMap<&str, usize> =
        town.cameras.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    let mut row = 0;
    while row < rows {
        let batch = town.batch(row, BATCH)?;
        writeln!(out, "COPY reads FROM STDIN;")?;
        for read in &batch {
            write!(out, "\\\\x")?;
            for byte in read.id.as_bytes() {
                write!(out, "{byte:02x}")?;
            }
            writeln!(
                out,
                "\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\tf",
                read.plate.as_str(),
                confusables::standard().fold(&read.plate).as_str(),
                cameras.get(read.camera.as_str()).copied().unwrap_or_default(),
                read.seen.as_second(),
                read.received.as_second(),
                read.confidence.percent(),
                VehicleType::number(read.vehicle),
                Colour::number(read.colour),
                read.region.map_or_else(|| "\\N".to_owned(), |region| region.as_str().to_owned()),
            )?;
        }
        writeln!(out, "\\.")?;
        row += batch.len() as u64;
    }
    Ok(out.flush()?)
}

/// Prints each question twice, timed: the second time is the warm one.
pub fn questions(rows: u64) -> Result<(), Failed> {
    let town = Town::new(rows);
    let mut out = BufWriter::new(std::io::stdout().lock());
    for kind in KINDS {
        writeln!(out, "\\echo kind {}", kind.name())?;
        for number in 0..WARM {
            let sql = Question::new(&town, kind, number)?.sql();
            writeln!(out, "\\timing off\n{sql}\n\\timing on\n{sql}")?;
        }
    }
    Ok(out.flush()?)
}
