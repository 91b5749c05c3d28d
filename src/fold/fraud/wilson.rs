//! Whether a share is surely above another, in integers.

/// Whether the lower bound of the Wilson score interval (95 %, z = 1.96) of `k` of `n` lies above `a` of `b`.
///
/// With p = k/n and q = a/b the bound is above q where p > q and n(p − q)² > z²q(1 − q): both sides of that are
/// multiplied by n·b²·10,000. Source: Wilson, Journal of the American Statistical Association 22 (1927), 209–212.
pub fn is_above(k: u32, n: u32, (a, b): (u32, u32)) -> bool {
    let [k, n, a, b] = [k, n, a, b].map(u128::from);
    if a >= b || k * b <= n * a {
        return false;
    }
    let ahead = k * b - n * a;
    // Nobody has so many orders that it would saturate.
    ahead.saturating_mul(ahead).saturating_mul(10_000) > (38_416 * n * a).saturating_mul(b - a)
}
