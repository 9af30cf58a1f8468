//! A value that is replaced as a whole while others use it.
//!
//! Knows: nothing of the value. Whoever took the old one keeps it until done.

use std::sync::{Arc, PoisonError, RwLock};

/// The value in force.
#[derive(Debug)]
pub struct Swap<T>(RwLock<Arc<T>>);

impl<T> Swap<T> {
    /// The value in force now.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another in its place.
    pub fn set(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

impl<T> From<T> for Swap<T> {
    fn from(value: T) -> Self {
        Arc::new(value).into()
    }
}

impl<T> From<Arc<T>> for Swap<T> {
    fn from(value: Arc<T>) -> Self {
        Self(RwLock::new(value))
    }
}
