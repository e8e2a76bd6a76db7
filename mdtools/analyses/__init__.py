"""Trajectory -> Dataset. An analysis measures and labels; it keeps `window`, reports no error bar and fits nothing."""
