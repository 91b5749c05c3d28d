//! Where the owner of a partition can be asked: rows beside the alias, in the form of the alias's, changed by `swap` alone.
//!
//! A row says who said so last, and no more: whoever it names may be gone, or may have given the partition away.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use bytes::Bytes;

use super::{Error, Store, Swap};
use crate::ids::Partition;
use crate::project::codec::{Malformed, Reader, Writer};
use crate::project::key::Key;
use crate::project::tables;

/// Who was last said to have a partition; none: nobody was.
pub async fn owner<S: Store>(store: &S, generation: u32, partition: Partition) -> Result<Option<SocketAddr>, Error> {
    let found = store.get(&[tables::owner(generation, partition)]).await?;
    let bytes = found.into_iter().flatten().next().and_then(|row| row.value);
    bytes.as_deref().map(decode).transpose().map_err(damaged)
}

/// Says of all `partitions` that they are asked for at `addr`, where something else is said. Where another says so
/// meanwhile, it stands: it is looked at again.
pub async fn say<S: Store>(
    store: &S,
    generation: u32,
    partitions: &[Partition],
    addr: SocketAddr,
) -> Result<(), Error> {
    let keys: Vec<Key> = partitions.iter().map(|partition| tables::owner(generation, *partition)).collect();
    let (rows, ours) = (store.get(&keys).await?, encode(addr));
    for (key, row) in keys.iter().zip(rows) {
        let before = row.and_then(|row| row.value);
        if before.as_deref() != Some(&*ours) {
            match store.swap(key, before.as_deref(), &ours).await? {
                Swap::Done | Swap::Refused(_) => {}
            }
        }
    }
    Ok(())
}

/// The address as one of IPv6, in two halves, and the port.
fn encode(addr: SocketAddr) -> Bytes {
    let ip = match addr.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let bits = ip.to_bits();
    let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default().cast_signed();
    let mut row = Writer::default();
    row.int(half(bits >> 64)).int(half(bits)).int(i64::from(addr.port())).finish()
}

fn decode(bytes: &[u8]) -> Result<SocketAddr, Malformed> {
    let mut row = Reader::new(bytes);
    let high = row.optional_int()?.ok_or(Malformed { field: 1 })?.cast_unsigned();
    let low = row.optional_int()?.ok_or(Malformed { field: 2 })?.cast_unsigned();
    let port = row.optional_int()?.and_then(|port| u16::try_from(port).ok()).ok_or(Malformed { field: 3 })?;
    let ip = Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low));
    Ok(SocketAddr::new(IpAddr::V6(ip).to_canonical(), port))
}

fn damaged(error: Malformed) -> Error {
    Error::Damaged { place: "in the table alias".to_owned(), what: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn an_address_of_either_kind_is_read_as_it_was_said() {
        for text in ["127.0.0.1:8080", "10.255.0.7:1", "[::1]:65535", "[2001:db8::8a2e:370:7334]:8080", "[ffff::1]:9"] {
            let addr = text.parse().unwrap();
            assert_eq!(decode(&encode(addr)).unwrap(), addr);
        }
        assert!(decode(&[]).is_err());
    }
}
