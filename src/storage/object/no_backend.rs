//! Stands in for `backend` without the feature `cloud`: every request fails.
//!
//! No request is ever made, since [`Location`](crate::storage::Location) refuses the names of objects.

use super::{About, ObjectPart};
use crate::storage::location::ObjectUrl;
use std::{
    io::{Error, ErrorKind, Result},
    marker::PhantomData,
    ops::Range,
};

/// Request that has failed.
#[derive(Debug)]
pub(crate) struct Pending<T>(PhantomData<fn() -> T>);

impl<T> Pending<T> {
    /// Returns `Unsupported`.
    pub(crate) fn wait(self) -> Result<T> {
        Err(Error::from(ErrorKind::Unsupported))
    }
}

pub(crate) fn get(_: &ObjectUrl, _: Range<u64>, _: Option<&str>) -> Pending<ObjectPart> {
    Pending(PhantomData)
}

pub(crate) fn head(_: &ObjectUrl) -> Pending<Option<About>> {
    Pending(PhantomData)
}

pub(crate) fn put(_: &ObjectUrl, _: Vec<u8>, _: bool) -> Pending<()> {
    Pending(PhantomData)
}

pub(crate) fn delete(_: &ObjectUrl) -> Pending<()> {
    Pending(PhantomData)
}

pub(crate) fn list(_: &ObjectUrl) -> Pending<Vec<String>> {
    Pending(PhantomData)
}

/// Multipart upload, which cannot be begun.
#[derive(Debug)]
pub(crate) struct Parts(());

impl Parts {
    pub(crate) fn begin(_: &ObjectUrl) -> Pending<Self> {
        Pending(PhantomData)
    }

    pub(crate) fn send(&mut self, _: Vec<u8>) -> Pending<()> {
        Pending(PhantomData)
    }

    pub(crate) fn complete(self) -> Pending<()> {
        Pending(PhantomData)
    }

    pub(crate) fn abort(self) -> Pending<()> {
        Pending(PhantomData)
    }
}
