//! A company that changes every day, and the files that its HR systems write of it.
//!
//! What a file says is never told apart from what the company is: whoever reads the newest files of a
//! settled company must come to nothing in [`Company::differences`].

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::Value;

/// Of the payroll, in the files of `hr`.
const DEPARTMENTS: u32 = 12;

/// How somebody of the payroll stands in the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Employed,
    /// A row says that they left.
    Left,
    /// No row names them any more.
    Gone,
}

struct Person {
    state: State,
    /// How often they married.
    name: u32,
    department: u32,
    /// Somebody with a smaller number, so that nobody is above themselves.
    manager: Option<usize>,
    /// Whether any file said, or let it be understood, that they are not active.
    was_ever_inactive: bool,
    /// The departments that files had them in.
    departments: Vec<u32>,
}

/// Somebody who comes and goes by dates.
struct Temp {
    from: Date,
    until: Option<Date>,
    /// The earliest end that any file had: where a later one did not arrive, it counts.
    earliest_end: Option<Date>,
    department: u32,
    manager: usize,
    was_ever_inactive: bool,
}

impl Temp {
    fn has_left(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }

    fn is_active(&self, today: Date) -> bool {
        self.from <= today && self.until.is_none_or(|until| today <= until)
    }
}

/// A way to break a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    Empty,
    HeaderOnly,
    Cut,
    Zeros,
    OtherColumns,
    /// Well-formed, and half of the people are not there.
    Half,
}

impl Broken {
    pub const ALL: [Self; 6] =
        [Self::Empty, Self::HeaderOnly, Self::Cut, Self::Zeros, Self::OtherColumns, Self::Half];
}

/// A company; `hr` writes of its people, `temps` of those who come and go by dates.
pub struct Company {
    rng: Rng,
    people: Vec<Person>,
    temps: Vec<Temp>,
    /// Fewer are never employed.
    least: usize,
}

fn department(number: u32) -> String {
    format!("Department {number}")
}

fn person_id(number: usize) -> String {
    format!("H{number:04}")
}

fn temp_id(number: usize) -> String {
    format!("T{number:04}")
}

impl Company {
    /// So many people on some day.
    pub fn new(seed: u64, size: usize, today: Date) -> Self {
        let mut company =
            Self { rng: Rng::with_seed(seed), people: Vec::new(), temps: Vec::new(), least: size };
        for _ in 0..size {
            company.join();
        }
        for _ in 0..size / 5 {
            company.engage(today);
        }
        company.note_dates(today);
        company
    }

    fn join(&mut self) {
        let department = self.rng.u32(..DEPARTMENTS);
        let manager = self.manager(self.people.len());
        self.people.push(Person {
            state: State::Employed,
            name: 0,
            department,
            manager,
            was_ever_inactive: false,
            departments: vec![department],
        });
    }

    /// One of the first dozen who are employed: a few manage many.
    fn manager(&mut self, below: usize) -> Option<usize> {
        let is_employed = |&number: &usize| self.people[number].state == State::Employed;
        let all: Vec<usize> = (0..below).filter(is_employed).take(12).collect();
        self.rng.choice(all)
    }

    fn engage(&mut self, today: Date) {
        let from = today.checked_add(i64::from(self.rng.i32(-20..6)).days()).unwrap();
        let mut temp = Temp {
            from,
            until: None,
            earliest_end: None,
            department: self.rng.u32(..DEPARTMENTS),
            manager: 0,
            was_ever_inactive: false,
        };
        if self.rng.bool() {
            temp.until = from.checked_add(i64::from(self.rng.i32(0..30)).days()).ok();
        }
        self.temps.push(temp);
    }

    /// One day in the life of the company.
    pub fn live(&mut self, today: Date) {
        // somebody who joins is named as a manager the same day, in any order of rows
        for _ in 0..self.rng.usize(..4) {
            self.join();
        }
        let is_reorganized = self.rng.u8(..10) == 0;
        for number in 1..self.people.len() {
            let dice = self.rng.u32(..1_000);
            match (self.people[number].state, dice) {
                (State::Employed, 0..12) if self.may_leave() => self.inactive(number, State::Left),
                (State::Employed, 12..20) if self.may_leave() => self.inactive(number, State::Gone),
                (State::Left, 500..700) => self.inactive(number, State::Gone),
                (State::Left | State::Gone, 700..740) => {
                    self.people[number].state = State::Employed;
                }
                (State::Employed, 20..90) => self.people[number].manager = self.manager(number),
                (State::Employed, 90..160) => self.people[number].name += 1,
                (State::Employed | State::Left, 160..260) => self.transfer(number),
                (State::Employed, 260..600) if is_reorganized => self.transfer(number),
                _ => {}
            }
        }
        if self.rng.bool() {
            self.engage(today);
        }
        for temp in &mut self.temps {
            if self.rng.u8(..30) == 0 {
                temp.until = today.checked_add(i64::from(self.rng.i32(-1..9)).days()).ok();
                temp.until = temp.until.map(|until| until.max(temp.from));
            }
        }
        self.note_dates(today);
    }

    /// Whose dates say on this day that they are not active.
    pub fn note_dates(&mut self, today: Date) {
        for temp in &mut self.temps {
            let ends = temp.earliest_end.into_iter().chain(temp.until);
            temp.earliest_end = ends.min();
            let has_ended = temp.earliest_end.is_some_and(|end| end < today);
            temp.was_ever_inactive |= has_ended || !temp.is_active(today);
        }
    }

    fn may_leave(&self) -> bool {
        let employed = self.people.iter().filter(|one| one.state == State::Employed).count();
        employed > self.least * 9 / 10
    }

    fn inactive(&mut self, number: usize, state: State) {
        self.people[number].state = state;
        self.people[number].was_ever_inactive = true;
    }

    fn transfer(&mut self, number: usize) {
        let department = self.rng.u32(..DEPARTMENTS);
        self.people[number].department = department;
        self.people[number].departments.push(department);
    }

    /// What `hr` writes: everybody of the payroll, rows and columns in any order, quotes or none.
    pub fn payroll(&mut self) -> String {
        let header = ["Id", "Status", "Login", "Name", "Department", "Manager", "Note"];
        let mut rows = Vec::new();
        for (number, person) in self.people.iter().enumerate() {
            let status = match person.state {
                State::Employed => "Active",
                State::Left => "Left",
                State::Gone => continue,
            };
            let id = person_id(number);
            rows.push(vec![
                id.clone(),
                status.to_owned(),
                format!("{}@contoso.example", id.to_lowercase()),
                name(number, person.name),
                department(person.department),
                person.manager.map(person_id).unwrap_or_default(),
                format!("seen {}", self.rng.u16(..)),
            ]);
        }
        self.write(&header, rows)
    }

    /// What `temps` writes.
    pub fn contracts(&mut self) -> String {
        let header = ["Id", "Login", "Department", "Manager", "From", "Until", "Note"];
        let mut rows = Vec::new();
        for (number, temp) in self.temps.iter().enumerate() {
            let id = temp_id(number);
            rows.push(vec![
                id.clone(),
                format!("{}@contoso.example", id.to_lowercase()),
                department(temp.department),
                person_id(temp.manager),
                temp.from.to_string(),
                temp.until.map(|until| until.to_string()).unwrap_or_default(),
                format!("seen {}", self.rng.u16(..)),
            ]);
        }
        self.write(&header, rows)
    }

    fn write(&mut self, header: &[&str], mut rows: Vec<Vec<String>>) -> String {
        self.rng.shuffle(&mut rows);
        let mut order: Vec<usize> = (0..header.len()).collect();
        self.rng.shuffle(&mut order);
        let delimiter = *self.rng.choice([",", ";", "\t"].iter()).unwrap();
        let end = *self.rng.choice(["\n", "\r\n"].iter()).unwrap();
        let header = header.iter().map(|&cell| cell.to_owned()).collect();
        let mut text = String::new();
        for row in std::iter::once(header).chain(rows) {
            let row: Vec<String> = row;
            let mut line = Vec::new();
            for &column in &order {
                let cell = &row[column];
                line.push(if self.rng.u8(..4) == 0 { format!("\"{cell}\"") } else { cell.clone() });
            }
            text += &(line.join(delimiter) + end);
        }
        text
    }

    /// Today's payroll, and what may happen to it on its way.
    pub fn broken(&mut self, how: Broken) -> String {
        let text = self.payroll();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        match how {
            Broken::Empty => String::new(),
            Broken::HeaderOnly => lines[0].to_owned(),
            Broken::Zeros => "\0".repeat(4_096),
            Broken::OtherColumns => text.replacen("Status", "State", 1),
            Broken::Half => lines[..=lines.len() / 2].concat(),
            Broken::Cut => {
                let last = self.rng.usize(lines.len() / 3..lines.len());
                // within the first of seven cells, so that it can be seen
                lines[..last].concat() + &lines[last][..2]
            }
        }
    }

    /// Nobody is disabled whom no file said to be inactive.
    pub fn assert_nobody_is_disabled_unasked(&self, directory: &BTreeMap<String, Value>) {
        let may_be = |id: &str| {
            let number: usize = id[1..].parse().unwrap();
            match id.as_bytes()[0] {
                b'H' => self.people[number].was_ever_inactive,
                _ => self.temps[number].was_ever_inactive,
            }
        };
        for (id, user) in directory {
            let is_enabled = user["accountEnabled"] == true;
            assert!(is_enabled || may_be(id), "{id} was disabled, and no file said so: {user}");
        }
    }

    /// Of whom the directory does not say what the company does, and what.
    pub fn differences(
        &self,
        directory: &BTreeMap<String, Value>,
        today: Date,
    ) -> Vec<(String, String)> {
        let manager_of = |number: Option<usize>| {
            // one who left before they were ever sent has no account
            let id = number.map(person_id).filter(|id| directory.contains_key(id));
            id.map_or(Value::Null, Value::from)
        };
        let mut found = Vec::new();
        let mut expect = |id: String, what: &str, is: &Value, wanted: Value| {
            if *is != wanted {
                let words = format!("{id}: {what} is {is}, should be {wanted} ({today})");
                found.push((id, words));
            }
        };
        for (number, person) in self.people.iter().enumerate() {
            let id = person_id(number);
            let is_employed = person.state == State::Employed;
            let Some(user) = directory.get(&id) else {
                expect(id, "account", &false.into(), is_employed.into());
                continue;
            };
            expect(id.clone(), "enabled", &user["accountEnabled"], is_employed.into());
            let department = if person.state == State::Gone {
                // whatever the last file that was applied had them in
                let is_theirs = |one: &&u32| user["department"] == department(**one);
                *person.departments.iter().find(is_theirs).unwrap_or(&person.department)
            } else {
                expect(id.clone(), "name", &user["displayName"], name(number, person.name).into());
                expect(id.clone(), "manager", &user["manager"], manager_of(person.manager));
                person.department
            };
            expect(id, "department", &user["department"], self::department(department).into());
        }
        for (number, temp) in self.temps.iter().enumerate() {
            let id = temp_id(number);
            let is_active = temp.is_active(today);
            let Some(user) = directory.get(&id) else {
                // one who left before they were ever sent has none
                expect(id, "account", &false.into(), (!temp.has_left(today)).into());
                continue;
            };
            expect(id.clone(), "enabled", &user["accountEnabled"], is_active.into());
            expect(id.clone(), "manager", &user["manager"], manager_of(Some(temp.manager)));
            expect(id, "department", &user["department"], department(temp.department).into());
        }
        if directory.len() > self.size() {
            found.push((String::new(), format!("{} accounts", directory.len())));
        }
        found
    }

    /// How many people there are and were.
    pub fn size(&self) -> usize {
        self.people.len() + self.temps.len()
    }
}

fn name(number: usize, marriages: u32) -> String {
    match marriages {
        0 => format!("Person {number}"),
        more => format!("Person {number} the {more}."),
    }
}
