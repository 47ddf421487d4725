//! Migrations: numbered files, each run once and whole. `PRAGMA user_version` holds the number of the last.

use sqlx::SqliteConnection;

use crate::error::OpenError;

/// One step of the schema.
pub(crate) struct Migration {
    pub number: i64,
    pub sql: &'static str,
}

/// All steps, in order.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, sql: include_str!("../../migrations/0001_records.sql") },
    Migration { number: 2, sql: include_str!("../../migrations/0002_ledgers.sql") },
    Migration { number: 3, sql: include_str!("../../migrations/0003_sign_in.sql") },
    Migration { number: 4, sql: include_str!("../../migrations/0004_break_glass.sql") },
    Migration { number: 5, sql: include_str!("../../migrations/0005_federated_accounts.sql") },
    Migration { number: 6, sql: include_str!("../../migrations/0006_sharing.sql") },
    Migration { number: 7, sql: include_str!("../../migrations/0007_findings.sql") },
    Migration { number: 8, sql: include_str!("../../migrations/0008_asked.sql") },
    Migration { number: 9, sql: include_str!("../../migrations/0009_policy_texts.sql") },
    Migration { number: 10, sql: include_str!("../../migrations/0010_cameras_and_actors.sql") },
    Migration { number: 11, sql: include_str!("../../migrations/0011_hotlists.sql") },
    Migration { number: 12, sql: include_str!("../../migrations/0012_approvals.sql") },
    Migration { number: 13, sql: include_str!("../../migrations/0013_alerts_told_and_safelists.sql") },
    Migration { number: 14, sql: include_str!("../../migrations/0014_sightings.sql") },
];

/// `CVSO`, which the first migration writes into the file's header.
const APPLICATION: i64 = 1_129_730_895;

/// Runs the steps that the file lacks.
pub(crate) async fn migrate(
    connection: &mut SqliteConnection,
    migrations: &'static [Migration],
) -> Result<(), OpenError> {
    let known = migrations.last().map_or(0, |last| last.number);
    let (application, found) = header(connection).await?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *connection).await?;
    let ours = if found == 0 { application == 0 && tables == 0 } else { application == APPLICATION };
    if !ours {
        return Err(OpenError::Foreign);
    }
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    for migration in migrations.iter().filter(|migration| migration.number > found) {
        if let Err(error) = step(connection, migration).await {
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await;
            return Err(OpenError::Migration { number: migration.number, reason: error.to_string() });
        }
    }
    Ok(())
}

async fn header(connection: &mut SqliteConnection) -> Result<(i64, i64), sqlx::Error> {
    let application = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
    let version = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
    Ok((application, version))
}

async fn step(connection: &mut SqliteConnection, migration: &Migration) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    // Another process may have run it while this one waited for the lock.
    if header(connection).await?.1 < migration.number {
        sqlx::raw_sql(migration.sql).execute(&mut *connection).await?;
        let mark = format!("PRAGMA user_version = {}", migration.number);
        sqlx::raw_sql(sqlx::AssertSqlSafe(mark)).execute(&mut *connection).await?;
    }
    sqlx::raw_sql("COMMIT").execute(&mut *connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
