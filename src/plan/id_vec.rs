//! Vectors that are indexed by one kind of id.

use std::{
    marker::PhantomData,
    ops::{Index, IndexMut},
};

/// An id of the items of an [`IdVec`], which counts from 0.
pub(crate) trait Id: Copy {
    fn new(index: usize) -> Self;
    fn index(self) -> usize;
}

/// A vector that only ids of type `I` index, so that a strip is never taken for a node.
///
/// Indexing panics where the item does not exist. An id is made together with the vectors that it indexes, so this would be
/// a bug of the crate, never of a session.
#[derive(Clone, Debug)]
pub(crate) struct IdVec<I, T> {
    items: Vec<T>,
    id: PhantomData<I>,
}

impl<I: Id, T> IdVec<I, T> {
    /// Makes a vector of `len` equal items.
    pub(crate) fn filled(item: T, len: usize) -> Self
    where
        T: Clone,
    {
        Self::from(vec![item; len])
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Adds an item and returns its id.
    pub(crate) fn push(&mut self, item: T) -> I {
        self.items.push(item);
        I::new(self.items.len() - 1)
    }

    /// Returns the ids of all items, in order.
    pub(crate) fn ids(&self) -> impl DoubleEndedIterator<Item = I> + use<I, T> {
        (0..self.items.len()).map(I::new)
    }

    /// Returns all items in order, without their ids.
    pub(crate) fn items(&self) -> &[T] {
        &self.items
    }

    /// Returns all items in order, each with its id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        self.ids().zip(&self.items)
    }
}

impl<I, T> From<Vec<T>> for IdVec<I, T> {
    fn from(items: Vec<T>) -> Self {
        Self {
            items,
            id: PhantomData,
        }
    }
}

impl<I, T> FromIterator<T> for IdVec<I, T> {
    fn from_iter<Items: IntoIterator<Item = T>>(items: Items) -> Self {
        Self::from(Vec::from_iter(items))
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "an id is made together with the vectors that it indexes"
)]
impl<I: Id, T> Index<I> for IdVec<I, T> {
    type Output = T;

    fn index(&self, id: I) -> &T {
        &self.items[id.index()]
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "an id is made together with the vectors that it indexes"
)]
impl<I: Id, T> IndexMut<I> for IdVec<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.items[id.index()]
    }
}
