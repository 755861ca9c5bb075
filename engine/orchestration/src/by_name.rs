//! Something for each of a few names, where the name that is asked for is nearly always the one of last time.

use std::collections::BTreeMap;

use crate::message::Name;

/// Values by name. A run watches one symbol or a few, and what is asked about a price is asked of one symbol
/// many times over: that is found with one comparison.
#[derive(Clone, Debug)]
pub(crate) struct ByName<T> {
    places: BTreeMap<Name, usize>,
    all: Vec<(Name, T)>,
    /// Where the last one was found that was about to be changed.
    last: usize,
}

impl<T> Default for ByName<T> {
    fn default() -> ByName<T> {
        ByName {
            places: BTreeMap::new(),
            all: Vec::new(),
            last: 0,
        }
    }
}

impl<T> ByName<T> {
    fn place(&self, name: &str) -> Option<usize> {
        match self.all.get(self.last) {
            Some((last, _)) if last.as_str() == name => Some(self.last),
            _ => self.places.get(name).copied(),
        }
    }

    /// What there is under a name.
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        Some(&self.all[self.place(name)?].1)
    }

    /// What there is under a name, to be changed.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.last = self.place(name)?;
        Some(&mut self.all[self.last].1)
    }

    /// What there is under a name, to be changed; what `new` makes, if there is nothing yet.
    pub(crate) fn or_insert_with(&mut self, name: &str, new: impl FnOnce() -> T) -> &mut T {
        self.last = self.place(name).unwrap_or_else(|| {
            let name = Name::from(name);
            self.places.insert(name.clone(), self.all.len());
            self.all.push((name, new()));
            self.all.len() - 1
        });
        &mut self.all[self.last].1
    }

    /// All of them, in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Name, &T)> {
        self.all.iter().map(|(name, value)| (name, value))
    }

    /// All of them, in the order in which they came.
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.all.iter().map(|(_, value)| value)
    }

    /// All of them, to be changed.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.all.iter_mut().map(|(_, value)| value)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails where the one of last time is given for another name.
    #[test]
    fn each_name_has_its_own_however_they_are_asked_for() {
        let mut all: ByName<u32> = ByName::default();
        for (number, name) in ["b", "a", "c", "a", "b", "b"].into_iter().enumerate() {
            *all.or_insert_with(name, || 0) += 10_u32.pow(number as u32);
        }
        assert_eq!(all.get("a").copied(), Some(1_010));
        assert_eq!(all.get_mut("b").copied(), Some(110_001));
        assert_eq!(all.get("c").copied(), Some(100));
        assert_eq!((all.get("d"), all.len()), (None, 3));
        assert!(all.get_mut("d").is_none());
        assert!(all.values().eq([&110_001, &1_010, &100]));
    }
}
