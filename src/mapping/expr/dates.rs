//! Entra's functions on dates.
//!
//! Without an offset a text is taken for UTC, and results are UTC. Nothing knows what day it is.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Span, Unit};

use crate::mapping::expr::arguments::{Arguments, What};
use crate::mapping::expr::moment::{Moment, write_american};
use crate::mapping::expr::prepare::{Interval, Prepared};
use crate::mapping::expr::value::Value;

type Outcome<'v> = Result<Value<'v>, What>;

const NO_DATE: What = "was given something that is no date it can read";
const NO_SUCH_DAY: What = "leads beyond the calendar";
/// Day 0 of AD file times, which count tenths of microseconds.
const FILE_TIME_ZERO: DateTime = jiff::civil::datetime(1601, 1, 1, 0, 0, 0, 0);
const TICKS_A_SECOND: i64 = 10_000_000;
const NANOS_A_TICK: i32 = 100;

pub(super) fn cdate<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    if given.is_empty(0) {
        return Ok(Value::Null);
    }
    Ok(write_american(utc(given, 0)?).into())
}

pub(super) fn date_add<'v>(ready: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    if given.is_empty(2) {
        return Ok(Value::Null);
    }
    let number = given.integer(1)?;
    let span = span(ready, number).ok_or(NO_SUCH_DAY)?;
    let moved = utc(given, 2)?.checked_add(span).map_err(|_| NO_SUCH_DAY)?;
    if moved.year() < 1 {
        return Err(NO_SUCH_DAY);
    }
    Ok(write_american(moved).into())
}

fn span(ready: &Prepared, number: i64) -> Option<Span> {
    let zero = Span::new();
    match ready.interval()? {
        Interval::Years => zero.try_years(number),
        Interval::Months => zero.try_months(number),
        Interval::Weeks => zero.try_weeks(number),
        Interval::Days => zero.try_days(number),
        Interval::Hours => zero.try_hours(number),
        Interval::Minutes => zero.try_minutes(number),
        Interval::Seconds => zero.try_seconds(number),
    }
    .ok()
}

pub(super) fn date_diff<'v>(ready: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    if given.is_empty(1) || given.is_empty(2) {
        return Ok(Value::Null);
    }
    let (from, to) = (utc(given, 1)?, utc(given, 2)?);
    let apart = |unit: Unit| from.until((unit, to)).map_err(|_| NO_SUCH_DAY);
    let seconds = from.duration_until(to).as_secs();
    let number = match ready.interval().ok_or(NO_SUCH_DAY)? {
        Interval::Years => i64::from(apart(Unit::Year)?.get_years()),
        Interval::Months => i64::from(apart(Unit::Month)?.get_months()),
        Interval::Weeks => seconds / 604_800,
        Interval::Days => seconds / 86_400,
        Interval::Hours => seconds / 3_600,
        Interval::Minutes => seconds / 60,
        Interval::Seconds => seconds,
    };
    Ok(Value::Integer(number))
}

pub(super) fn date_from_num<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    if given.is_empty(0) {
        return Ok(Value::Null);
    }
    let ticks = given.integer(0)?;
    let nanos = i32::try_from(ticks.rem_euclid(TICKS_A_SECOND)).unwrap_or(0) * NANOS_A_TICK;
    let after = SignedDuration::new(ticks.div_euclid(TICKS_A_SECOND), nanos);
    let at = FILE_TIME_ZERO.checked_add(after).map_err(|_| NO_SUCH_DAY)?;
    if at < FILE_TIME_ZERO {
        return Err("was given a number below 0");
    }
    Ok(write_american(at).into())
}

pub(super) fn num_from_date<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    if given.is_empty(0) {
        return Ok(Value::Null);
    }
    let after = FILE_TIME_ZERO.duration_until(utc(given, 0)?);
    if after.is_negative() {
        return Err("was given a date before 1601, where AD's count begins");
    }
    let ticks = after.as_secs().checked_mul(TICKS_A_SECOND).ok_or(NO_SUCH_DAY)?;
    Ok(Value::Integer(ticks + i64::from(after.subsec_nanos() / NANOS_A_TICK)))
}

/// Reads by the format that is given, else as [`Moment::read`] does. ISO 8601 is read beside any
/// format, because a date cell of a workbook has that form whatever it looks like there.
pub(super) fn format_date_time<'v>(ready: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let Prepared::Formats { input, output, is_universal } = ready else {
        return Err(NO_DATE);
    };
    let text = given.text(0)?;
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let by_format = match input {
        Some(format) => format.read(&text),
        None => Moment::read(&text),
    };
    let is_iso = || text.trim().as_bytes().get(4) == Some(&b'-');
    let mut moment = by_format
        .or_else(|| is_iso().then(|| Moment::read(&text))?)
        .ok_or("was given something that is no date in its format")?;
    if *is_universal {
        moment = Moment { local: moment.utc().ok_or(NO_SUCH_DAY)?, offset: Some(0) };
    }
    Ok(output.write(moment).into())
}

fn utc(given: &mut Arguments<'_, '_>, at: usize) -> Result<DateTime, What> {
    let moment = Moment::read(&given.text(at)?).ok_or(NO_DATE)?;
    let utc = moment.utc().filter(|utc| utc.year() >= 1);
    utc.ok_or(NO_SUCH_DAY)
}
