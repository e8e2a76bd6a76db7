"""The harmonic crystal: primitive cells, phonopy's files, dynamical matrices, and which site each atom of a run belongs to."""
