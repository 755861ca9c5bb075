//! Golden logs: those of the project hold, those of every version are read, and what changes is noticed and told
//! once.

mod held;
mod versions;
