//! The statistics: robust scores, and the lower tail of the beta-binomial distribution.

/// The median; 0 of nothing.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or(0.0);
    if values.len() % 2 == 1 { at(half) } else { f64::midpoint(at(half.saturating_sub(1)), at(half)) }
}

/// How far `value` is from the median of the others, in robust standard deviations: 0.6745 (x − median) / MAD (Iglewicz and
/// Hoaglin, How to Detect and Handle Outliers, 1993). The median absolute deviation is at least 1: counts of zero do not
/// make one act an outlier.
pub(crate) fn modified_z(value: f64, others: &[f64]) -> f64 {
    let mut sorted = others.to_vec();
    let middle = median(&mut sorted);
    let mut away: Vec<f64> = others.iter().map(|other| (other - middle).abs()).collect();
    0.6745 * (value - middle) / median(&mut away).max(1.0)
}

/// Natural logarithm of the gamma function for x > 0 (Lanczos 1964, with the coefficients of g = 7, n = 9).
pub(crate) fn ln_gamma(x: f64) -> f64 {
    const LANCZOS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        // Reflection: the gamma function of small arguments by that of large ones.
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let base = x + 7.5;
    let mut sum = 0.999_999_999_999_809_9;
    let mut divisor = x;
    for coefficient in LANCZOS {
        divisor += 1.0;
        sum += coefficient / divisor;
    }
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * base.ln() - base + sum.ln()
}

fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// P(X ≤ x) of n trials whose chance of success is drawn from Beta(a, b).
pub(crate) fn beta_binomial_lower(x: u32, n: u32, a: f64, b: f64) -> f64 {
    let all = f64::from(n);
    let whole = ln_beta(a, b);
    let term = |successes: u32| {
        let k = f64::from(successes);
        let choose = ln_gamma(all + 1.0) - ln_gamma(k + 1.0) - ln_gamma(all - k + 1.0);
        (choose + ln_beta(k + a, all - k + b) - whole).exp()
    };
    (0..=x.min(n)).map(term).sum::<f64>().min(1.0)
}

/// Parameters of the beta distribution behind peers' counts (successes, trials), by the moments of Kleinman (1973, Journal
/// of the American Statistical Association 68, 46–54), weighted by trials. `floor` is the least correlation within a peer.
/// None when there is nothing to compare: fewer than 2 peers, or none ever found anything, or all always did.
pub(crate) fn fit(peers: &[(u32, u32)], floor: f64) -> Option<(f64, f64)> {
    let trials: f64 = peers.iter().map(|(_, n)| f64::from(*n)).sum();
    let found: f64 = peers.iter().map(|(x, _)| f64::from(*x)).sum();
    if peers.len() < 2 || found <= 0.0 || found >= trials {
        return None;
    }
    let mean = found / trials;
    let spread: f64 = peers
        .iter()
        .map(|(x, n)| {
            let n = f64::from(*n);
            n * (f64::from(*x) / n.max(1.0) - mean).powi(2)
        })
        .sum();
    let weights: f64 = peers.iter().map(|(_, n)| f64::from(*n) * (1.0 - f64::from(*n) / trials)).sum();
    let others = f64::from(u32::try_from(peers.len()).unwrap_or(u32::MAX)) - 1.0;
    let noise = mean * (1.0 - mean);
    let below = noise * (weights - others);
    let correlation = if below > 0.0 { (spread - noise * others) / below } else { 0.0 };
    let correlation = correlation.clamp(floor.max(1e-6), 0.9);
    let size = (1.0 - correlation) / correlation;
    Some((mean * size, (1.0 - mean) * size))
}

/// Which of the p-values hold at `alpha` by Holm's step-down method (1979, Scandinavian Journal of Statistics 6, 65–70):
/// the chance that any of them is false stays below `alpha`.
pub(crate) fn holm(values: &[f64], alpha: f64) -> Vec<bool> {
    let mut order: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    order.sort_by(|left, right| left.1.total_cmp(&right.1));
    let mut holds = vec![false; values.len()];
    for (rank, (index, value)) in order.into_iter().enumerate() {
        let left = u32::try_from(values.len() - rank).unwrap_or(u32::MAX);
        if value > alpha / f64::from(left) {
            break;
        }
        if let Some(one) = holds.get_mut(index) {
            *one = true;
        }
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-9 * right.abs().max(1.0), "{left} is not {right}");
    }

    #[test]
    fn known_values() {
        near(ln_gamma(1.0), 0.0);
        near(ln_gamma(0.5), std::f64::consts::PI.sqrt().ln());
        near(ln_gamma(11.0), 3_628_800_f64.ln());
        // Beta(1, 1) makes every count as likely as any other.
        near(beta_binomial_lower(4, 9, 1.0, 1.0), 0.5);
        near(beta_binomial_lower(9, 9, 2.5, 0.7), 1.0);
        // Beta(2, 3), n = 2: P(0) = B(2, 5) / B(2, 3) = (1/30) / (1/12).
        near(beta_binomial_lower(0, 2, 2.0, 3.0), 0.4);
        near(median(&mut [3.0, 1.0, 2.0]), 2.0);
        near(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        near(median(&mut []), 0.0);
        near(modified_z(10.0, &[0.0; 9]), 6.745);
        near(modified_z(10.0, &[2.0, 4.0, 6.0, 8.0, 10.0]), 0.6745 * 4.0 / 2.0);
    }

    #[test]
    fn alike_peers_fall_to_the_floor_and_unlike_ones_do_not() {
        let (a, b) = fit(&[(20, 100); 10], 0.01).unwrap();
        near(a / (a + b), 0.2);
        near(1.0 / (a + b + 1.0), 0.01);
        let (a, b) = fit(&[(5, 100), (40, 100), (10, 100), (35, 100)], 0.01).unwrap();
        assert!(1.0 / (a + b + 1.0) > 0.1);
        assert_eq!(fit(&[(0, 50), (0, 50)], 0.01), None);
        assert_eq!(fit(&[(7, 50)], 0.01), None);
    }

    #[test]
    fn holm_stops_at_the_first_that_fails() {
        assert_eq!(holm(&[0.01, 0.04, 0.03], 0.05), [true, false, false]);
        assert_eq!(holm(&[0.01, 0.02, 0.001], 0.05), [true, true, true]);
        assert_eq!(holm(&[], 0.05), Vec::<bool>::new());
    }
}
