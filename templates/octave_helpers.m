function x = taken_matrix(x, name, m, n)
    % A real m x n matrix of doubles.
    if ~(isnumeric(x) || islogical(x)) || ~isreal(x) || ndims(x) ~= 2
        error('%s must be a real matrix', name);
    end
    if size(x, 1) ~= m || size(x, 2) ~= n
        error('%s is %d x %d; needed %d x %d', name, size(x, 1), size(x, 2), m, n);
    end
    if isempty(x)
        error('%s is empty', name);
    end
    x = full(double(x));
end

function n = taken_size(n, name)
    % A size that no input has.
    if ~isnumeric(n) || ~isscalar(n) || n < 1 || n ~= round(n)
        error('%s must be a whole number, at least 1', name);
    end
    n = double(n);
end

function check_tangents(tangents, names)
    % A struct of directions for some of these variables.
    if ~isstruct(tangents) || isempty(fieldnames(tangents)) || ~all(ismember(fieldnames(tangents), names))
        error('tangents must be a struct with some of: %s', sprintf('%s ', names{:}));
    end
end

function x = taken_tangent(tangents, name, m, n)
    % The direction of a variable; zero where it is left out.
    if isfield(tangents, name)
        x = taken_matrix(tangents.(name), name, m, n);
    else
        x = zeros(m, n);
    end
end

function not_zero(value, text)
    % Refuse a size of 0.
    if value == 0
        error('%s is 0, and the function divides by it', text);
    end
end

function y = real_or_nan(y)
    % Not a number where a function of a real number is complex.
    if ~isreal(y)
        bad = imag(y) ~= 0;
        y = real(y);
        y(bad) = NaN;
    end
end

function y = real_log(x)
    y = real_or_nan(log(x));
end

function y = real_log1p(x)
    y = real_or_nan(log1p(x));
end

function y = real_sqrt(x)
    y = real_or_nan(sqrt(x));
end

function y = real_power(x, k)
    y = real_or_nan(x .^ k);
end

function y = maximum(a, b)
    % The larger entries; not a number where one is none.
    y = max(a, b);
    y(isnan(a) | isnan(b)) = NaN;
end

function y = minimum(a, b)
    y = min(a, b);
    y(isnan(a) | isnan(b)) = NaN;
end

function y = largest(x, axis)
    % The largest entry of each column (axis 1) or row (axis 2).
    y = max(x, [], axis);
    y(any(isnan(x), axis)) = NaN;
end

function y = smallest(x, axis)
    y = -largest(-x, axis);
end

function y = choose(test, yes, no)
    % `yes` where the test holds, else `no`: numbers, or in the shape of the test.
    if isscalar(no)
        no = repmat(no, size(test));
    end
    y = no;
    if isscalar(yes)
        y(test) = yes;
    else
        y(test) = yes(test);
    end
end

function y = sigmoid(x)
    % 1 / (1 + exp(-x)), without overflow.
    e = exp(-abs(x));
    y = choose(x >= 0, 1 ./ (1 + e), e ./ (1 + e));
    y(isnan(x)) = NaN;
end

function y = softplus(x)
    % log(1 + exp(x)), without overflow.
    y = maximum(x, 0) + log1p(exp(-abs(x)));
end

function y = log1mexp(x)
    % log(1 - exp(-x)) for positive x, without cancellation.
    y = choose(x < log(2), real_log(-expm1(-x)), real_log1p(-exp(-x)));
end

function y = mean_excess(x, ratio)
    % x + ratio, where ratio is phi(x)/Phi(x) of the normal distribution: for x < -5 by its continued fraction.
    t = max(-x, 5);
    tail = 0;
    for k = 30:-1:1
        tail = k ./ (t + tail);
    end
    y = choose(x < -5, tail, x + ratio);
end

function y = softmax(x, axis)
    % exp(x) / sum(exp(x)) along an axis, without overflow.
    e = exp(x - largest(x, axis));
    y = e ./ sum(e, axis);
end

function y = log_softmax(x, axis)
    % log(softmax(x)) along an axis.
    y = x - largest(x, axis);
    y = y - log(sum(exp(y), axis));
end

function y = log_sum_exp(x, axis)
    % log(sum(exp(x))) along an axis, without overflow.
    top = largest(x, axis);
    top(~isfinite(top)) = 0;
    y = top + log(sum(exp(x - top), axis));
end

function y = reciprocal(x)
    % 1 / x, and 0 where x is 0.
    y = choose(x == 0, 0, 1 ./ x);
end

function y = huber(x, delta)
    y = choose(abs(x) > delta, delta .* (abs(x) - delta / 2), x .^ 2 / 2);
end

function y = leaky_relu(x, slope)
    y = choose(x > 0, x, slope .* x);
end

function y = elu(x, alpha)
    y = choose(x > 0, x, alpha .* expm1(minimum(x, 0)));
end

function y = selu(x)
    y = 1.0507009873554805 * elu(x, 1.6732632423543772);
end

function y = normal_cdf(x)
    y = erfc(-x / sqrt(2)) / 2;
end

function y = log_normal_cdf(x)
    % Without underflow for negative x, without cancellation for positive x.
    small = min(x, 0);
    large = max(x, 0);
    y = choose(x < 0, log(erfcx(-small / sqrt(2)) / 2) - small .^ 2 / 2, log1p(-erfc(large / sqrt(2)) / 2));
    y(isnan(x)) = NaN;
end

function y = log_gamma(x)
    y = real(gammaln(x));
end

function y = log_det(x)
    % log(det(x)); not a number where the determinant is negative.
    y = real_log(sign(det_sign(x))) + log_abs_det(x);
end

function y = det_sign(x)
    [~, u, p] = lu(x);
    y = det(p) * prod(sign(diag(u)));
end

function y = log_abs_det(x)
    [~, u, ~] = lu(x);
    y = sum(log(abs(diag(u))));
end

function x = solved(a, b)
    % The x with a x = b; an error for a singular a, for which \ gives something else.
    [l, u, p] = lu(a);
    if any(diag(u) == 0)
        error('the matrix is singular');
    end
    x = u \ (l \ (p * b));
end

function y = inverse(x)
    y = solved(x, eye(size(x, 1)));
end

function y = whole_power(x, k)
    % A whole power of a square matrix, or of its inverse.
    if k < 0
        x = inverse(x);
        k = -k;
    end
    y = eye(size(x, 1));
    while k > 0
        if mod(k, 2) == 1
            y = y * x;
        end
        k = floor(k / 2);
        if k > 0
            x = x * x;
        end
    end
end

function y = column(x)
    % The columns, stacked.
    y = x(:);
end

function y = diagonal_matrix(v)
    y = full(diag(v(:)));
end

function y = diagonal(x)
    y = diag(x);
end

function y = add_diagonal(x, v)
    % x + diag(v), or x + v I for a number v.
    n = size(x, 1);
    y = x;
    y(1:n + 1:n * n) = y(1:n + 1:n * n) + v(:).';
end

function y = commutation(m, n)
    % vec(X') = commutation(m, n) vec(X) for X m x n.
    e = eye(m * n);
    number = reshape(1:m * n, m, n).';
    y = e(number(:), :);
end

function y = kron_times(a, b, m)
    % kron(a, b) m, without the Kronecker product; [] is an identity.
    if isempty(a)
        count = size(m, 1) / size(b, 2);
    else
        count = size(a, 2);
    end
    y = [];
    for k = 1:size(m, 2)
        x = reshape(m(:, k), [], count);
        if ~isempty(b)
            x = b * x;
        end
        if ~isempty(a)
            x = x * a.';
        end
        y = [y, x(:)];
    end
end

function y = times_kron(m, a, b)
    % m kron(a, b), without the Kronecker product; [] is an identity.
    y = kron_times(a.', b.', m.').';
end

function y = block_inner(g, b)
    % The blocks of g, each times b, summed: the adjoint of x -> kron(x, b).
    [p, q] = size(b);
    y = zeros(size(g, 1) / p, size(g, 2) / q);
    for i = 1:size(y, 1)
        for j = 1:size(y, 2)
            y(i, j) = sum(sum(g((i - 1) * p + (1:p), (j - 1) * q + (1:q)) .* b));
        end
    end
end

function y = block_sum(a, g)
    % The sum of the blocks of g weighted by a: the adjoint of x -> kron(a, x).
    p = size(g, 1) / size(a, 1);
    q = size(g, 2) / size(a, 2);
    y = zeros(p, q);
    for i = 1:size(a, 1)
        for j = 1:size(a, 2)
            y = y + a(i, j) * g((i - 1) * p + (1:p), (j - 1) * q + (1:q));
        end
    end
end

function y = slice(x, i, j, k, l)
    % Rows i to j and columns k to l.
    if i < 1 || i > j || j > size(x, 1) || k < 1 || k > l || l > size(x, 2)
        error('rows %d to %d, columns %d to %d of a %d x %d matrix', i, j, k, l, size(x, 1), size(x, 2));
    end
    y = x(i:j, k:l);
end

function y = place(x, m, n, i, k)
    % An m x n matrix of zeros with x as its block that starts at row i and column k.
    if i < 1 || i > m - size(x, 1) + 1 || k < 1 || k > n - size(x, 2) + 1
        error('a block does not fit');
    end
    y = zeros(m, n);
    y(i - 1 + (1:size(x, 1)), k - 1 + (1:size(x, 2))) = x;
end

function y = vech(x)
    % The columns of the lower triangle, stacked.
    y = x(tril(true(size(x))));
    y = y(:);
end

function y = unvech(v, n)
    % The lower triangular matrix whose vech is v.
    y = zeros(n, n);
    y(tril(true(n))) = v;
end

function y = diagonal_sums(g)
    % Entry i, j: the sum of g along the diagonal of i, j.
    n = size(g, 1);
    y = zeros(n, n);
    for k = 1 - n:n - 1
        y = y + diag(repmat(sum(diag(g, k)), n - abs(k), 1), k);
    end
end

function y = duplication(n)
    % vec(S) = duplication(n) vech(S) for symmetric S.
    number = unvech(1:n * (n + 1) / 2, n);
    number = max(number, number.');
    e = eye(n * (n + 1) / 2);
    y = e(number(:), :);
end

function y = elimination(n)
    % vech(X) = elimination(n) vec(X).
    e = eye(n * n);
    y = e(vech(reshape(1:n * n, n, n)), :);
end

function y = diagonal_selection(n)
    % vec(diag(v)) = diagonal_selection(n) v.
    e = eye(n * n);
    y = e(:, 1:n + 1:n * n);
end

function y = toeplitz_basis(n)
    % vec(T) = toeplitz_basis(n) times the diagonals of T, from the lower left corner up.
    [row, col] = ndgrid(1:n, 1:n);
    e = eye(2 * n - 1);
    y = e(col(:) - row(:) + n, :);
end

function y = symmetric_toeplitz_basis(n)
    % vec(T) = symmetric_toeplitz_basis(n) times the first row of T.
    [row, col] = ndgrid(1:n, 1:n);
    e = eye(n);
    y = e(abs(col(:) - row(:)) + 1, :);
end

function y = skew_basis(n)
    % vec(S) = skew_basis(n) times the columns below the diagonal of S, stacked.
    number = reshape(1:n * n, n, n);
    below = number(tril(true(n), -1));
    turned = number.';
    above = turned(tril(true(n), -1));
    y = zeros(n * n, numel(below));
    for k = 1:numel(below)
        y(below(k), k) = 1;
        y(above(k), k) = -1;
    end
end

function y = convolution_matrix(w, m)
    % The matrix T with T x the convolution of x (of length m) and w.
    y = zeros(numel(w) + m - 1, m);
    for j = 1:m
        y(j - 1 + (1:numel(w)), j) = w;
    end
end

function y = squared_distances(x, z)
    % The squared distances of the rows of x from those of z; where they nearly coincide, from their differences.
    centre = sum(x, 1) / size(x, 1);
    a = x - centre;
    b = z - centre;
    sizes = sum(a .^ 2, 2) + sum(b .^ 2, 2).';
    y = sizes - 2 * a * b.';
    [row, col] = find(y < sizes / 8);
    for k = 1:numel(row)
        y(row(k), col(k)) = sum((x(row(k), :) - z(col(k), :)) .^ 2);
    end
end

function y = other_products(x, axis)
    % The products of all other entries along an axis (0: of all entries).
    if axis == 0
        y = reshape(other_products(x(:), 1), size(x));
        return
    end
    y = x;
    for k = 1:size(x, axis)
        if axis == 1
            y(k, :) = prod(x([1:k - 1, k + 1:end], :), 1);
        else
            y(:, k) = prod(x(:, [1:k - 1, k + 1:end]), 2);
        end
    end
end

function y = other_products_slope(x, v, axis)
    % The derivative of other_products at x in the direction v.
    if axis == 0
        y = reshape(other_products_slope(x(:), v(:), 1), size(x));
        return
    end
    if axis == 2
        y = other_products_slope(x.', v.', 1).';
        return
    end
    y = zeros(size(x));
    n = size(x, 1);
    for k = 1:n
        for l = [1:k - 1, k + 1:n]
            rest = setdiff(1:n, [k, l]);
            y(k, :) = y(k, :) + v(l, :) .* prod(x(rest, :), 1);
        end
    end
end

function y = products_form(x, order, axis)
    % The derivative of some order of other_products on vec: a column for each tuple of entries.
    count = numel(x);
    number = reshape(1:count, size(x));
    if axis == 0
        number = number(:);
    elseif axis == 2
        number = number.';
    end
    y = zeros(count, count ^ order);
    for g = 1:size(number, 2)
        group = number(:, g).';
        n = numel(group);
        for k = 0:n ^ (order + 1) - 1
            place = group(mod(floor(k ./ n .^ (order:-1:0)), n) + 1);
            if numel(unique(place)) <= order
                continue
            end
            col = 1 + sum((place(2:end) - 1) .* count .^ (order - 1:-1:0));
            y(place(1), col) = prod(x(setdiff(group, place)));
        end
    end
end

function found = is_finite(x)
    found = all(all(isfinite(x)));
end

function found = is_symmetric(x)
    % Up to rounding.
    found = max(max(abs(x - x.'))) <= 8 * size(x, 1) * eps * max(max(abs(x)));
end

function [values, vectors] = eigen_pairs(x)
    % Ascending eigenvalues and eigenvectors (length 1, largest entry positive); not a number where they are complex.
    n = size(x, 1);
    values = NaN(n, 1);
    vectors = NaN(n, n);
    if ~is_finite(x)
        return
    end
    if is_symmetric(x)
        x = (x + x.') / 2;
    end
    [v, d] = eig(x);
    d = diag(d);
    if any(imag(d) ~= 0)
        return
    end
    [values, order] = sort(real(d));
    vectors = upright(real(v(:, order)));
end

function v = upright(v)
    % Columns of length 1 with their largest entry positive.
    for k = 1:size(v, 2)
        [~, top] = max(abs(v(:, k)));
        v(:, k) = v(:, k) / norm(v(:, k)) * sign(v(top, k));
    end
end

function y = eigen_values(x)
    [y, ~] = eigen_pairs(x);
end

function y = eigen_vectors(x)
    [~, y] = eigen_pairs(x);
end

function [value, vector] = extreme_pair(x, side)
    % The eigenvalue that is largest (side 1) or smallest (side -1), and its eigenvector.
    value = NaN;
    vector = NaN(size(x, 1), 1);
    if ~is_finite(x)
        return
    end
    if is_symmetric(x)
        x = (x + x.') / 2;
    end
    [v, d] = eig(x);
    d = diag(d);
    [~, k] = max(side * real(d));
    if imag(d(k)) ~= 0
        return
    end
    value = real(d(k));
    vector = upright(real(v(:, k)));
end

function y = extreme_value(x, side)
    [y, ~] = extreme_pair(x, side);
end

function y = extreme_vector(x, side)
    [~, y] = extreme_pair(x, side);
end

function [u, s, v, r] = singular(x)
    % The decomposition x = u diag(s) v', and the number of singular values that are no rounding errors.
    [u, d, v] = svd(x);
    s = diag(d(1:min(size(x)), 1:min(size(x))));
    r = sum(s > 10 * max(size(x)) * eps * s(1));
end

function y = pseudo_inverse(x)
    if ~is_finite(x)
        y = NaN(size(x, 2), size(x, 1));
        return
    end
    [u, s, v, r] = singular(x);
    y = v(:, 1:r) * (u(:, 1:r).' ./ s(1:r));
end

function y = resolvent(x, side)
    % The pseudoinverse of (t I - x), t the largest (side 1) or smallest (side -1) eigenvalue of a symmetric x.
    [v, d] = eig((x + x.') / 2);
    d = diag(d);
    gaps = side * max(side * d) - d;
    small = abs(gaps) <= 10 * size(x, 1) * eps * max(abs(d));
    gaps(small) = Inf;
    y = v * (v.' ./ gaps);
end

function y = polar_factor(x)
    % U V' for x = U diag(s) V', s > 0.
    if ~is_finite(x)
        y = NaN(size(x));
        return
    end
    [u, ~, v, r] = singular(x);
    y = u(:, 1:r) * v(:, 1:r).';
end

function y = polar_slope(x, dx)
    % The derivative of the polar factor at x in a direction, along matrices of the rank of x.
    if ~is_finite(x)
        y = NaN(size(x));
        return
    end
    [u, s, v, r] = singular(x);
    rows = zeros(size(x, 1), 1);
    cols = zeros(1, size(x, 2));
    rows(1:r) = s(1:r);
    cols(1:r) = s(1:r);
    turned = (u.' * dx * v) .* reciprocal(rows + cols);
    turned(1:r, 1:r) = turned(1:r, 1:r) - turned(1:r, 1:r).';
    y = u * turned * v.';
end

function y = form_of(f, x)
    % The matrix whose columns are the vec of f at the unit matrices in the shape of x.
    y = [];
    for k = 1:numel(x)
        unit = zeros(size(x));
        unit(k) = 1;
        part = f(unit);
        y = [y, part(:)];
    end
end

function y = polar_form(x)
    y = form_of(@(v) polar_slope(x, v), x);
end

function y = chol_or_nan(x)
    % The lower Cholesky factor of the symmetric part; not a number where that is not positive definite.
    [y, failed] = chol((x + x.') / 2);
    y = y.';
    if failed
        y = NaN(size(x));
    end
end

function y = real_matrix(y)
    % A matrix whose imaginary part is rounding; not a number elsewhere.
    if ~isreal(y)
        if max(max(abs(imag(y)))) <= 1e-11 * max(max(abs(y)))
            y = real(y);
        else
            y = NaN(size(y));
        end
    end
end

function y = exp_matrix(x)
    if is_finite(x)
        y = expm(x);
    else
        y = NaN(size(x));
    end
end

function y = log_matrix(x)
    % The principal logarithm; not a number where it is not real.
    if is_finite(x)
        y = real_matrix(logm(x));
    else
        y = NaN(size(x));
    end
end

function y = sqrt_matrix(x)
    % The principal square root; not a number where it is not real.
    if is_finite(x)
        y = real_matrix(sqrtm(x));
    else
        y = NaN(size(x));
    end
end

function y = power_matrix(x, k)
    % x^k: the repeated product for a whole number k, else the principal power (x ^ k is wrong for defective x).
    if ~isfinite(k)
        y = NaN(size(x));
    elseif k == round(k)
        y = whole_power(x, k);
    else
        y = exp_matrix(k * log_matrix(x));
    end
end

function y = slope_of(f, x, v)
    % The upper right block of f([x, v; 0, x]): the derivative of f at x in the direction v.
    n = size(x, 1);
    y = f([x, v; zeros(n), x]);
    y = y(1:n, n + 1:end);
end

function y = exp_slope(x, v)
    y = slope_of(@exp_matrix, x, v);
end

function y = log_slope(x, v)
    y = slope_of(@log_matrix, x, v);
end

function y = sqrt_slope(x, v)
    % y with s y + y s = v for the root s of x.
    s = sqrt_matrix(x);
    y = sylvester_solution(s, s, v);
end

function y = power_slope(x, v, k)
    y = slope_of(@(z) power_matrix(z, k), x, v);
end

function y = slope_form(slope, x)
    y = form_of(@(v) slope(x, v), x);
end

function y = power_form(x, k)
    y = form_of(@(v) power_slope(x, v, k), x);
end

function x = sylvester_solution(a, b, c)
    % The x with a x + x b = c, as one system for all its entries; not a number where there is not one.
    x = system_solution(kron(eye(size(c, 2)), a) + kron(b.', eye(size(c, 1))), c);
end

function x = system_solution(system, c)
    [l, u, p] = lu(system);
    if ~is_finite(system) || ~is_finite(c) || any(diag(u) == 0)
        x = NaN(size(c));
    else
        x = reshape(u \ (l \ (p * c(:))), size(c));
    end
end

function x = discrete_lyapunov(a, q)
    % The x with x = a x a' + q.
    x = system_solution(eye(numel(q)) - kron(a, a), q);
end

function x = riccati(a, b, q, r)
    % The stabilising x with a' x + x a - x b r^-1 b' x + q = 0, from the sign of the Hamiltonian matrix.
    n = size(a, 1);
    x = NaN(n, n);
    if ~(is_finite(a) && is_finite(b) && is_finite(q) && is_finite(r))
        return
    end
    q = (q + q.') / 2;
    g = b * solved((r + r.') / 2, b.');
    w = [a, -g; -q, -a.'];
    for k = 1:60
        scale = exp(-log_abs_det(w) / (2 * n));
        new = (scale * w + inverse(scale * w)) / 2;
        change = max(max(abs(new - w))) / max(max(abs(new)));
        w = new;
        if ~(change > 10 * n * eps)
            break
        end
    end
    if ~is_finite(w)
        return
    end
    s = -[w(1:n, n + 1:end); w(n + 1:end, n + 1:end) + eye(n)] \ [w(1:n, 1:n) + eye(n); w(n + 1:end, 1:n)];
    s = (s + s.') / 2;
    rest = a.' * s + s * a - s * g * s + q;
    if max(max(abs(rest))) <= 1e-8 * (max(max(abs(s))) * max(max(abs(a))) + max(max(abs(q))))
        x = s;
    end
end

function x = discrete_riccati(a, b, q, r)
    % The stabilising x with x = a' x a - a' x b (r + b' x b)^-1 b' x a + q, by doubling.
    n = size(a, 1);
    x = NaN(n, n);
    if ~(is_finite(a) && is_finite(b) && is_finite(q) && is_finite(r))
        return
    end
    q = (q + q.') / 2;
    r = (r + r.') / 2;
    y = q;
    s = a;
    g = b * solved(r, b.');
    for k = 1:60
        w = eye(n) + g * y;
        left = solved(w, s);
        right = solved(w, g);
        g = g + s * right * s.';
        y = y + s.' * y * left;
        s = s * left;
        if ~is_finite(s) || max(max(abs(s))) <= eps
            break
        end
        g = (g + g.') / 2;
        y = (y + y.') / 2;
    end
    if ~is_finite(y)
        return
    end
    gain = solved(r + b.' * y * b, b.' * y * a);
    rest = a.' * y * (a - b * gain) - y + q;
    if max(max(abs(rest))) <= 1e-8 * (max(max(abs(y))) + max(max(abs(q))))
        x = y;
    end
end

function y = adjugate(x)
    % The adjugate, also of a singular matrix: det(U V') adj(s) on the singular values.
    if ~is_finite(x)
        y = NaN(size(x));
        return
    end
    [u, s, v] = svd(x);
    rest = other_products(diag(s), 1);
    y = det(u) * det(v) * v * (rest .* u.');
end

function y = adjugate_slope(x, dx)
    % The derivative of the adjugate at x in a direction.
    if ~is_finite(x)
        y = NaN(size(x));
        return
    end
    n = size(x, 1);
    [u, s, v] = svd(x);
    s = diag(s);
    rest = zeros(n, n);
    for i = 1:n
        for j = [1:i - 1, i + 1:n]
            rest(i, j) = prod(s(setdiff(1:n, [i, j])));
        end
    end
    turned = u.' * dx * v;
    inner = diag(rest * diag(turned)) - rest .* turned;
    y = det(u) * det(v) * v * inner * u.';
end

function y = adjugate_form(x, order)
    % The derivative of this order of the adjugate on vec: minors, a column for each tuple of unit matrices.
    n = size(x, 1);
    count = n * n;
    y = zeros(count, count ^ order);
    for k = 0:count ^ (order + 1) - 1
        place = mod(floor(k ./ count .^ (order:-1:0)), count);
        row = mod(place, n) + 1;
        col = floor(place / n) + 1;
        rows = [col(1), row(2:end)];
        cols = [row(1), col(2:end)];
        if numel(unique(rows)) <= order || numel(unique(cols)) <= order
            continue
        end
        minor = 1;
        if order + 1 < n
            minor = det(x(setdiff(1:n, rows), setdiff(1:n, cols)));
        end
        side = (-1) ^ (sum(rows) + sum(cols) + inversions(rows) + inversions(cols));
        y(place(1) + 1, 1 + sum(place(2:end) .* count .^ (order - 1:-1:0))) = side * minor;
    end
end

function y = inversions(x)
    % The number of pairs in the wrong order.
    y = sum(sum(triu(bsxfun(@gt, x(:), x(:).'), 1)));
end

function y = gelu(x)
    y = x .* normal_cdf(x);
end

function x = lyapunov(a, q)
    % The x with a x + x a' = q.
    x = sylvester_solution(a, a.', q);
end

function l = gram_factor(x)
    % The lower l with l l' = x' x and no negative diagonal, by QR factors: x' x has the square of x's condition.
    [~, r] = qr(x, 0);
    n = size(x, 2);
    r = [r; zeros(n - size(r, 1), n)];
    l = (r .* (1 - 2 * (diag(r) < 0))).';
    lost = diag(l) <= max(size(x)) * eps * max([diag(l); 0]);
    l(diag(lost)) = 0; % dependent columns, as far as the digits tell
end

function x = chol_solve(l, b)
    % The x with l l' x = b for a Cholesky factor l.
    if any(diag(l) == 0)
        error('the matrix is singular');
    end
    x = l.' \ (l \ b);
end

function y = chol_inverse(l)
    % The inverse of l l'.
    y = chol_solve(l, eye(size(l, 1)));
end

function y = weighted_gram(x, d)
    % x' diag(d) x
    y = x.' * (d .* x);
end
